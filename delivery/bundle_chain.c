/* From the leaf upwards, whatever the order in which the certificates came. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "delivery/bundle_internal.h"

static bool is_issuer(X509 *issuer, X509 *of)
{
	bool is_it = X509_check_issued(issuer, of) == X509_V_OK &&
		     X509_verify(of, X509_get0_pubkey(issuer)) == 1;
	ERR_clear_error();
	return is_it;
}

static bool is_self_signed(const struct bundle_found *found)
{
	return found->der.facts.is_self_issued && is_issuer(found->x509, found->x509);
}

static struct bundle_found *find_issuer(
	struct bundle_material *material, const struct bundle_found *of)
{
	for (size_t i = 0; i < material->count; i++) {
		struct bundle_found *found = &material->item[i];
		if (!found->is_used && is_issuer(found->x509, of->x509))
			return found;
	}
	return NULL;
}

static void move_der(struct bundle_der *to, struct bundle_found *found)
{
	*to = found->der;
	found->der = (struct bundle_der){.bytes = NULL};
}

static void note_unused(const struct bundle_material *material, struct bundle *bundle)
{
	for (size_t i = 0; i < material->count; i++)
		if (!material->item[i].is_used)
			bundle_note(bundle,
				"%.200s is not in the chain of the certificate and was left out",
				material->item[i].der.facts.subject);
}

int bundle_order(struct bundle_material *material, size_t leaf, bool keep_root,
	struct bundle *bundle, struct err *err)
{
	struct bundle_found *chain[BUNDLE_CHAIN_MAX];
	struct bundle_found *last = &material->item[leaf], *issuer;
	size_t count = 0;
	bool is_root = is_self_signed(last);
	last->is_used = true;
	while (!is_root && (issuer = find_issuer(material, last)) != NULL) {
		if (count == BUNDLE_CHAIN_MAX)
			return bundle_fail(err, "chain", "the chain has more than %d certificates",
				BUNDLE_CHAIN_MAX);
		issuer->is_used = true;
		chain[count++] = last = issuer;
		is_root = is_self_signed(last);
	}
	if (count == 0 && !is_root)
		return bundle_fail(err, "chain",
			"the chain lacks the issuer of the certificate, %.300s: give its certificate",
			last->der.facts.issuer);
	/* ACM takes no certificate of a CA without any chain. */
	if (count > 1 && is_root && !keep_root) {
		bundle_note(bundle, "the root %.200s was left out of the chain",
			chain[count - 1]->der.facts.subject);
		count--;
	}
	note_unused(material, bundle);
	for (size_t i = 0; i < count; i++)
		move_der(&bundle->chain[i], chain[i]);
	bundle->chain_count = count;
	move_der(&bundle->leaf, &material->item[leaf]);
	return 0;
}
