/* What is particular to a request for a certificate: its key is made here and stays in the vault.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/arn.h"
#include "base/clock.h"
#include "base/host.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/text.h"
#include "delivery/cert_view.h"
#include "sensor/desk_internal.h"
#include "sensor/local_api.h"

enum {
	CSR_LIFE_S = 90 * 86400, /* a key whose certificate never came is wiped after it */
	PEM_MAX = 65536,
	WARNING_MAX = 256,
};

static const char *const members[] = {"connector", "domains", "key_type", "subject", "arn"};
static const struct {
	const char *name, *key_algorithm;
} key_types[] = {{"rsa2048", "RSA_2048"}, {"rsa3072", "RSA_3072"}, {"rsa4096", "RSA_4096"},
	{"ec256", "EC_prime256v1"}, {"ec384", "EC_secp384r1"}};
enum { KEY_TYPES = sizeof(key_types) / sizeof(key_types[0]) };

/* By our name or by AWS's, which every answer has. */
static const char *key_algorithm_of(const char *key_type)
{
	for (size_t i = 0; i < KEY_TYPES; i++)
		if (strcmp(key_types[i].name, key_type) == 0 ||
			strcmp(key_types[i].key_algorithm, key_type) == 0)
			return key_types[i].key_algorithm;
	return NULL;
}

static int read_replaced(struct desk_op *op, struct err *err)
{
	struct arn arn;
	bool ignored;
	if (!arn_parse_certificate(op->csr.arn, &arn))
		return err_set(err, ERR_CONFIG, "arn: expected the ARN of an ACM certificate");
	(void)text_copy(op->account_id, sizeof(op->account_id), arn.account_id);
	(void)text_copy(op->region, sizeof(op->region), arn.region);
	op->connector = op->desk->connector(op->desk->arg, op->csr.connector, err);
	return op->connector != NULL ? desk_check_place(op, op->csr.arn, &ignored, err) : -1;
}

/* Which escrow the request's key does not go to: one that waits for days for its certificate must
 * outlive a restart, so it is in the vault whatever the connector says. Without a name, and with
 * more than one connector, nobody knows yet whose it will be. */
static int read_escrow(struct desk_op *op, struct err *err)
{
	struct err unknown = ERR_INIT;
	struct desk_csr *csr = &op->csr;
	const struct connector *connector =
		op->desk->connector(op->desk->arg, csr->connector, &unknown);
	if (connector == NULL && csr->connector[0] != '\0') {
		*err = unknown;
		return -1;
	}
	csr->key_escrow =
		connector != NULL ? connector_config(connector)->key_escrow : ESCROW_SENSOR;
	return 0;
}

int desk_csr_read(struct desk_op *op, struct err *err)
{
	const json_t *body = op->body;
	struct desk_csr *csr = &op->csr;
	csr->connector = csr->arn = csr->key_type = csr->subject = "";
	buf_init(&csr->pem, PEM_MAX);
	buf_init(&csr->document, SECRET_MAX);
	if (desk_check_members(body, members, sizeof(members) / sizeof(members[0]), err) != 0 ||
		json_get_text(body, "connector", CONFIG_NAME_MAX, &csr->connector, err) != 0 ||
		json_get_text(body, "key_type", 16, &csr->key_type, err) != 0 ||
		json_get_text(body, "subject", LOCAL_API_SUBJECT_MAX, &csr->subject, err) != 0 ||
		json_get_text(body, "arn", ARN_MAX, &csr->arn, err) != 0 ||
		desk_read_texts(body, "domains", csr->domain, DESK_DOMAINS_MAX, &csr->domain_count,
			err) != 0)
		return -1;
	if (csr->key_type[0] != '\0' && key_algorithm_of(csr->key_type) == NULL)
		return err_set(err, ERR_CONFIG,
			"key_type: expected rsa2048, rsa3072, rsa4096, ec256 or ec384");
	if (csr->domain_count == 0 && csr->arn[0] == '\0')
		return err_set(err, ERR_CONFIG, "expected domains, or the ARN to replace");
	csr->request.key_algorithm =
		csr->key_type[0] != '\0' ? key_algorithm_of(csr->key_type) : "RSA_2048";
	if (read_escrow(op, err) != 0)
		return -1;
	return csr->arn[0] != '\0' ? read_replaced(op, err) : 0;
}

static int take_names(struct desk_csr *csr, struct err *err)
{
	const struct x509_facts *facts = &csr->remote.facts;
	for (size_t i = 0; i < facts->san_count; i++) {
		if (facts->san[i].kind != X509_SAN_DNS && facts->san[i].kind != X509_SAN_IP)
			continue;
		if (csr->domain_count ==
			DESK_DOMAINS_MAX) /* with some of them, hosts would break */
			return err_set(err, ERR_LIMIT,
				"%s: it has more than %d domain names, and a request may have no "
				"more; give those that are needed",
				csr->arn, DESK_DOMAINS_MAX);
		csr->domain[csr->domain_count++] = facts->san[i].text;
	}
	const char *common_name = facts->common_name;
	if (csr->domain_count == 0 && (name_is_host(common_name) || host_is_address(common_name)))
		csr->domain[csr->domain_count++] = common_name;
	return csr->domain_count > 0 ? 0
				     : err_set(err, ERR_CONFIG,
					       "%s: it has no domain names; give some", csr->arn);
}

/* Before a CA is paid for what cannot be delivered. With `reimport = no` it is a new ARN anyway. */
static int check_replaceable(const struct desk_op *op, struct err *err)
{
	const char *type = op->csr.remote.detail.type;
	if (!op->csr.remote.exists || strcmp(type, "IMPORTED") == 0 ||
		!connector_config(op->connector)->reimport)
		return 0;
	return err_set(err, ERR_REFUSED,
		"%s: it is of type %s, and ACM replaces by an import only what was imported; a "
		"request by csr --domain, without the ARN, can be imported as a new certificate",
		op->csr.arn, type[0] != '\0' ? type : "unknown");
}

/* Names, key type and usages of the certificate that is replaced, where none were given: a reimport
 * demands them. */
int desk_csr_take_remote(struct desk_op *op, struct err *err)
{
	struct desk_csr *csr = &op->csr;
	const struct x509_facts *facts = &csr->remote.facts;
	if (check_replaceable(op, err) != 0)
		return -1;
	if (!csr->remote.exists || !csr->remote.has_facts)
		return err_set(err, ERR_NOT_FOUND,
			"%s: ACM has no certificate there to take names and usages from", csr->arn);
	if (csr->domain_count == 0 && take_names(csr, err) != 0)
		return -1;
	if (csr->key_type[0] == '\0')
		csr->request.key_algorithm = facts->key_algorithm;
	csr->request.key_usage = facts->has_key_usage ? facts->key_usage : 0;
	for (size_t i = 0; i < facts->ext_key_usage_count; i++)
		csr->usage[csr->request.ext_key_usage_count++] = facts->ext_key_usage[i];
	csr->request.ext_key_usage = csr->usage;
	return 0;
}

/* CAs refuse what has a name twice. */
static void drop_repeated(struct desk_csr *csr)
{
	size_t count = 0;
	for (size_t i = 0; i < csr->domain_count; i++) {
		size_t at = 0;
		while (at < count && strcasecmp(csr->domain[at], csr->domain[i]) != 0)
			at++;
		if (at == count)
			csr->domain[count++] = csr->domain[i];
	}
	csr->domain_count = count;
}

void desk_csr_work(struct desk_op *op)
{
	struct desk_csr *csr = &op->csr;
	drop_repeated(csr);
	csr->request.domain = csr->domain;
	csr->request.domain_count = csr->domain_count;
	csr->request.subject = csr->subject[0] != '\0' ? csr->subject : NULL;
	(void)csr_make(&csr->request, &csr->key, &csr->pem, &op->err); /* err tells */
}

/* One object, as it is answered and kept. */
static void write_document(struct desk_csr *csr)
{
	struct json_writer writer;
	json_writer_init(&writer, &csr->document, false);
	json_open_object(&writer);
	json_member_text(&writer, "id", csr->id);
	json_member_time(&writer, "created", csr->made_s);
	json_member_time(&writer, "expires", csr->made_s + CSR_LIFE_S);
	json_member_text(&writer, "key_algorithm", csr->request.key_algorithm);
	json_key(&writer, "domains");
	json_open_array(&writer);
	for (size_t i = 0; i < csr->domain_count; i++)
		json_text(&writer, csr->domain[i]);
	json_close_array(&writer);
	json_member_text(&writer, "connector", csr->connector);
	json_member_text(&writer, "arn", csr->arn);
	json_member_text(&writer, "key_escrow", key_escrow_name(csr->key_escrow));
	json_member_text(&writer, "pem", buf_text(&csr->pem));
	json_close_object(&writer);
}

static int seal(struct desk_op *op, const char *id, enum vault_kind kind,
	const struct secret *secret, struct vault_sealed *ret_sealed, struct err *err)
{
	int64_t now_s = op->csr.made_s;
	return vault_seal(
		op->desk->vault, id, kind, secret, now_s, now_s + CSR_LIFE_S, ret_sealed, err);
}

int desk_csr_seal(struct desk_op *op, struct err *err)
{
	struct desk_csr *csr = &op->csr;
	struct secret document = SECRET_INIT;
	char request_id[DESK_REQUEST_ID_MAX];
	csr->made_s = clock_now_s();
	delivery_new_id(CSR_ID_PREFIX, csr->made_s, csr->id);
	desk_request_vault_id(csr->id, request_id);
	write_document(csr);
	int rc = buf_check(&csr->document, "the request", err);
	if (rc == 0) {
		secret_set(&document, buf_text(&csr->document), csr->document.len);
		rc = seal(op, request_id, VAULT_REQUEST, &document, &csr->request_sealed, err);
	}
	if (rc == 0)
		rc = seal(op, csr->id, VAULT_KEY, &csr->key, &csr->sealed, err);
	secret_clear(&document);
	secret_clear(&csr->key);
	return rc;
}

void desk_csr_put(struct store_txn *txn, const struct desk_csr *csr)
{
	store_vault_put(txn, &csr->sealed);
	store_vault_put(txn, &csr->request_sealed);
}

/* What the names have to do with the present ones: nothing, by ACM's rule. */
static bool has_name_of(const struct desk_csr *csr, const struct x509_facts *facts)
{
	struct cert_names names;
	bool has = false;
	cert_names_init(&names, facts);
	for (size_t i = 0; i < csr->domain_count && !has; i++)
		has = cert_names_have(&names, csr->domain[i]);
	cert_names_clear(&names);
	return has;
}

/* Told before a CA is paid for what the ARN cannot take, as the plan will tell only afterwards. */
static void write_warnings(const struct desk_op *op, struct json_writer *writer)
{
	const struct desk_csr *csr = &op->csr;
	const struct x509_facts *facts = &csr->remote.facts;
	char text[WARNING_MAX];
	json_key(writer, "warnings");
	json_open_array(writer);
	if (csr->arn[0] != '\0' && connector_config(op->connector)->reimport) {
		if (strcmp(csr->request.key_algorithm, facts->key_algorithm) != 0) {
			tell(text, sizeof(text),
				"the ARN holds a key of type %s, and ACM replaces it by no other: a "
				"certificate with this %s key needs plan --new-arn",
				facts->key_algorithm, csr->request.key_algorithm);
			json_text(writer, text);
		}
		if (!has_name_of(csr, facts))
			json_text(writer,
				"none of its names is in the certificate under the ARN, and ACM "
				"wants one at least to stay: its certificate needs plan --new-arn");
	}
	json_close_array(writer);
}

void desk_csr_render(const struct desk_op *op, struct buf *document)
{
	const struct desk_csr *csr = &op->csr;
	struct json_writer writer;
	json_writer_init(&writer, document, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", LOCAL_API_SCHEMA);
	json_key(&writer, "csr");
	json_open_object(&writer);
	json_raw_members(&writer, buf_text(&csr->document));
	json_member_text(&writer, "state", "open");
	write_warnings(op, &writer);
	json_close_object(&writer);
	json_close_object(&writer);
	buf_add_char(document, '\n');
}

void desk_csr_clear(struct desk_csr *csr)
{
	remote_read_cancel(csr->read);
	remote_state_clear(&csr->remote);
	secret_clear(&csr->key);
	vault_sealed_clear(&csr->sealed);
	vault_sealed_clear(&csr->request_sealed);
	buf_clear(&csr->pem);
	buf_clear(&csr->document);
}
