/* Taking over a certificate of the simulated ACM, imported or drawn (see served.h). */
#include "tests/awssim/served.h"

#include <stdlib.h>
#include <string.h>

#include "tests/awssim/consistency.h"
#include "tests/awssim/digest.h"

static X509 *decode(const struct out *der)
{
	const unsigned char *at = (const unsigned char *)der->data;
	X509 *x509 = d2i_X509(NULL, &at, (long)der->len);
	if (x509 == NULL)
		abort();
	return x509;
}

static void push(STACK_OF(X509) * chain, X509 *take_x509)
{
	if (sk_X509_push(chain, take_x509) <= 0)
		abort();
}

static void drop(struct served *served)
{
	X509_free(served->leaf);
	sk_X509_pop_free(served->chain, X509_free);
	EVP_PKEY_free(served->key);
	held_free(served->held);
	served->held = NULL;
}

static void take(
	struct served *served, struct sim *sim, struct cert *cert, size_t account, size_t region)
{
	struct cert_facts facts;
	struct out der = {0}, hex = {0};
	unsigned char hash[SHA256_LEN];
	drop(served);
	cert_describe(sim->world, account, region, cert, sim_now_s(sim), &facts);
	cert_der(cert, &facts, &der);
	served->leaf = decode(&der);
	served->chain = sk_X509_new_null();
	served->generation = cert->generation;
	served->held = cert->more != NULL ? held_use(cert->more->held) : NULL;
	served->key = facts.held != NULL ? facts.held->key : facts.key->private_key;
	EVP_PKEY_up_ref(served->key);
	for (int i = 0; facts.held != NULL && i < sk_X509_num(facts.held->chain); i++)
		push(served->chain, X509_dup(sk_X509_value(facts.held->chain, i)));
	for (const struct ca *ca = facts.issuer; ca != NULL; ca = ca->issuer)
		push(served->chain, decode(&ca->der));
	digest_sha256(der.data, der.len, hash);
	out_hex(&hex, hash, sizeof(hash));
	memcpy(served->fingerprint, hex.data, sizeof(served->fingerprint));
	out_clear(&der);
	out_clear(&hex);
}

void served_refresh(struct served *served, struct sim *sim)
{
	size_t account, region;
	struct cert *cert = cert_find_arn(sim->world, served->arn, &account, &region);
	if (cert == NULL)
		return;
	const struct held *held = cert->more != NULL ? cert->more->held : NULL;
	bool is_same = served->leaf != NULL && held == served->held &&
		       cert->generation == served->generation;
	int64_t changed_ms = cert->more != NULL ? cert->more->changed_ms : 0;
	if (is_same || (served->leaf != NULL && sim_mono_ms() < changed_ms + served->delay_ms))
		return;
	take(served, sim, cert, account, region);
}

void served_init(struct served *served, struct sim *sim, const char *arn, int64_t delay_ms)
{
	*served = (struct served){.arn = mem_strdup(arn), .delay_ms = delay_ms};
	served_refresh(served, sim);
}

void served_clear(struct served *served)
{
	drop(served);
	free(served->arn);
}
