/* See write_acm.h. */
#include "tests/lib/write_acm.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/x509.h"
#include "tests/lib/fake_call.h"

static void die(const char *why, const char *what)
{
	fprintf(stderr, "write_acm: %s: %s\n", why, what);
	abort();
}

static void set(char **field, const char *text)
{
	char *copy = xstrdup(text);
	free(*field);
	*field = copy;
}

struct write_acm_cert *write_acm_add(struct write_acm *acm, const char *pem, const char *key)
{
	struct write_acm_cert *cert = NULL;
	for (size_t i = 0; i < WRITE_ACM_CERTS && cert == NULL; i++)
		cert = acm->cert[i].arn[0] == '\0' ? &acm->cert[i] : NULL;
	if (cert == NULL)
		die("full", "certificates");
	snprintf(cert->arn, sizeof(cert->arn), "arn:aws:acm:%s:%s:certificate/c%zu", acm->region,
		acm->account_id, ++acm->made);
	set(&cert->pem, pem);
	set(&cert->chain, "");
	set(&cert->key, key);
	cert->created_s = cert->imported_s = clock_now_s();
	return cert;
}

struct write_acm_cert *write_acm_find(struct write_acm *acm, const char *arn)
{
	for (size_t i = 0; i < WRITE_ACM_CERTS; i++) {
		if (arn != NULL && arn[0] != '\0' && strcmp(acm->cert[i].arn, arn) == 0)
			return &acm->cert[i];
	}
	return NULL;
}

size_t write_acm_count(const struct write_acm *acm, const char *pem)
{
	size_t count = 0;
	for (size_t i = 0; i < WRITE_ACM_CERTS; i++)
		count += acm->cert[i].arn[0] != '\0' && strcmp(acm->cert[i].pem, pem) == 0;
	return count;
}

const char *write_acm_tag(const struct write_acm_cert *cert, const char *key)
{
	for (size_t i = 0; i < cert->tags; i++) {
		if (strcmp(cert->tag_key[i], key) == 0)
			return cert->tag_value[i];
	}
	return NULL;
}

void write_acm_set_tag(struct write_acm_cert *cert, const char *key, const char *value)
{
	size_t i = 0;
	while (i < cert->tags && strcmp(cert->tag_key[i], key) != 0)
		i++;
	if (i == WRITE_ACM_TAGS)
		die("too many tags", key);
	set(&cert->tag_key[i], key);
	set(&cert->tag_value[i], value);
	if (i == cert->tags)
		cert->tags++;
}

static void clear_tags(struct write_acm_cert *cert)
{
	for (size_t i = 0; i < cert->tags; i++) {
		free(cert->tag_key[i]);
		free(cert->tag_value[i]);
		cert->tag_key[i] = cert->tag_value[i] = NULL;
	}
	cert->tags = 0;
}

static void clear_cert(struct write_acm_cert *cert)
{
	clear_tags(cert);
	free(cert->pem);
	free(cert->chain);
	free(cert->shown_pem);
	free(cert->key);
	*cert = (struct write_acm_cert){.arn = ""};
}

void write_acm_put_secret(struct write_acm *acm, const char *name, const char *value)
{
	for (size_t i = 0; i < WRITE_ACM_SECRETS; i++) {
		if (acm->secret_name[i] != NULL)
			continue;
		acm->secret_name[i] = xstrdup(name);
		acm->secret[i] = xstrdup(value);
		acm->secret_created_s[i] = clock_now_s();
		return;
	}
	die("full", "secrets");
}

size_t write_acm_secrets(const struct write_acm *acm)
{
	size_t count = 0;
	for (size_t i = 0; i < WRITE_ACM_SECRETS; i++)
		count += acm->secret_name[i] != NULL;
	return count;
}

void write_acm_clear(struct write_acm *acm)
{
	for (size_t i = 0; i < WRITE_ACM_CERTS; i++)
		clear_cert(&acm->cert[i]);
	for (size_t i = 0; i < WRITE_ACM_SECRETS; i++) {
		free(acm->secret_name[i]);
		free(acm->secret[i]);
		acm->secret_name[i] = acm->secret[i] = NULL;
	}
}

/* --- answers ----------------------------------------------------------------------------------- */

static void facts_of(const char *pem, struct x509_facts *ret_facts)
{
	struct err err = ERR_INIT;
	const char *at = pem;
	unsigned char *der = NULL;
	size_t len;
	*ret_facts = (struct x509_facts){.san = NULL};
	if (x509_pem_next(&at, pem + strlen(pem), &der, &len, &err) != 1 ||
		x509_facts_from_der(der, len, ret_facts, &err) != 0)
		die("no certificate", err.text);
	free(der);
}

static const char *shown(const struct write_acm_cert *cert)
{
	return cert->shown_pem != NULL ? cert->shown_pem : cert->pem;
}

static const char *type_of(const struct write_acm_cert *cert)
{
	return cert->type != NULL ? cert->type : "IMPORTED";
}

static json_t *summary_of(const struct write_acm_cert *cert)
{
	struct x509_facts facts;
	facts_of(shown(cert), &facts);
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "CertificateArn",
		cert->arn, "DomainName", "www.example.com", "Status", "ISSUED", "Type",
		type_of(cert), "KeyAlgorithm", "RSA-2048", "NotBefore",
		(json_int_t)facts.not_before_s, "NotAfter", (json_int_t)facts.not_after_s,
		"CreatedAt", (json_int_t)cert->created_s, "ImportedAt",
		(json_int_t)(cert->shown_pem != NULL ? cert->shown_imported_s : cert->imported_s));
	x509_facts_clear(&facts);
	return item;
}

static json_t *users_of(const struct write_acm_cert *cert)
{
	json_t *users = json_array();
	if (cert->in_use_by == NULL)
		return users;
	json_array_append_new(users, json_string(cert->in_use_by));
	for (int i = 0; i < cert->more_users; i++)
		json_array_append_new(users, json_string("arn:other"));
	return users;
}

static json_t *describe(struct write_acm_cert *cert)
{
	struct x509_facts facts;
	if (cert->shown_pem != NULL && cert->stale_looks-- <= 0) {
		free(cert->shown_pem);
		cert->shown_pem = NULL;
	}
	if (cert->uses_left > 0 && --cert->uses_left == 0)
		cert->in_use_by = NULL;
	facts_of(shown(cert), &facts);
	json_t *detail = summary_of(cert);
	json_object_set_new(detail, "Serial", json_string(facts.serial));
	json_object_set_new(detail, "Issuer", json_string("CA"));
	json_object_set_new(detail, "Subject", json_string(facts.subject));
	json_object_set_new(detail, "SubjectAlternativeNames", json_pack("[s]", "www.example.com"));
	json_object_set_new(detail, "InUseBy", users_of(cert));
	x509_facts_clear(&facts);
	return json_pack("{s:o}", "Certificate", detail);
}

static json_t *list_tags(const struct write_acm_cert *cert)
{
	json_t *tags = json_array();
	for (size_t i = 0; i < cert->tags; i++)
		json_array_append_new(tags, json_pack("{s:s, s:s}", "Key", cert->tag_key[i],
						    "Value", cert->tag_value[i]));
	return json_pack("{s:o}", "Tags", tags);
}

static void add_tags(struct write_acm_cert *cert, const json_t *request)
{
	size_t i;
	json_t *tag;
	json_array_foreach(json_object_get(request, "Tags"), i, tag)
		write_acm_set_tag(cert, json_string_value(json_object_get(tag, "Key")),
			json_string_value(json_object_get(tag, "Value")));
}

static char *decode(const json_t *request, const char *name)
{
	const char *text = json_string_value(json_object_get(request, name));
	if (text == NULL)
		return xstrdup("");
	size_t len = strlen(text);
	char *bytes = xcalloc(len + 1, 1);
	int decoded =
		EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)len);
	if (decoded < 0)
		die("no base64", name);
	while (len > 0 && text[len - 1] == '=') {
		len--;
		decoded--;
	}
	bytes[decoded] = '\0';
	return bytes;
}

static json_t *import(struct write_acm *acm, struct write_acm_cert *cert, const json_t *request)
{
	char *pem = decode(request, "Certificate"), *key = decode(request, "PrivateKey");
	char *chain = decode(request, "CertificateChain");
	if (cert == NULL) {
		cert = write_acm_add(acm, pem, key);
		add_tags(cert, request);
	} else if (json_object_get(request, "Tags") != NULL) {
		die("tags with a reimport", cert->arn);
	} else if (acm->drops_tags) {
		clear_tags(cert);
	}
	if (acm->import_stale_looks > 0 && cert->shown_pem == NULL) {
		cert->shown_pem = xstrdup(cert->pem);
		cert->shown_imported_s = cert->imported_s;
		cert->stale_looks = acm->import_stale_looks;
	}
	set(&cert->pem, pem);
	set(&cert->key, key);
	set(&cert->chain, chain);
	cert->imported_s = clock_now_s();
	acm->imported++;
	free(pem);
	free(key);
	free(chain);
	return json_pack("{s:s}", "CertificateArn", cert->arn);
}

static json_t *list(const struct write_acm *acm)
{
	json_t *items = json_array();
	for (size_t i = 0; i < WRITE_ACM_CERTS; i++) {
		if (acm->cert[i].arn[0] != '\0')
			json_array_append_new(items, summary_of(&acm->cert[i]));
	}
	return json_pack("{s:o}", "CertificateSummaryList", items);
}

static json_t *fail(struct err *err, enum err_kind kind, const char *code)
{
	err_set(err, kind, "acm: %s", code);
	err_set_code(err, code);
	return NULL;
}

static json_t *answer_acm(
	struct write_acm *acm, const char *operation, const json_t *request, struct err *err)
{
	const char *arn = json_string_value(json_object_get(request, "CertificateArn"));
	struct write_acm_cert *cert = write_acm_find(acm, arn);
	if (strcmp(operation, "ListCertificates") == 0)
		return list(acm);
	if (strcmp(operation, "ImportCertificate") == 0 && arn == NULL)
		return import(acm, NULL, request);
	if (cert == NULL)
		return fail(err, ERR_NOT_FOUND, "ResourceNotFoundException");
	if (strcmp(operation, "ImportCertificate") == 0)
		return import(acm, cert, request);
	if (strcmp(operation, "DescribeCertificate") == 0)
		return describe(cert);
	if (strcmp(operation, "GetCertificate") == 0)
		return json_pack(
			"{s:s, s:s}", "Certificate", shown(cert), "CertificateChain", cert->chain);
	if (strcmp(operation, "ListTagsForCertificate") == 0)
		return list_tags(cert);
	if (strcmp(operation, "AddTagsToCertificate") == 0) {
		add_tags(cert, request);
		return json_object();
	}
	if (strcmp(operation, "DeleteCertificate") != 0)
		die("no such operation", operation);
	if (cert->in_use_by != NULL)
		return fail(err, ERR_REFUSED, "ResourceInUseException");
	clear_cert(cert);
	acm->deleted++;
	return json_object();
}

static json_t *list_secrets(const struct write_acm *acm)
{
	json_t *items = json_array();
	for (size_t i = 0; i < WRITE_ACM_SECRETS; i++) {
		if (acm->secret_name[i] != NULL)
			json_array_append_new(items,
				json_pack("{s:s, s:s, s:I, s:[{s:s, s:s}]}", "ARN",
					"arn:aws:secretsmanager:x", "Name", acm->secret_name[i],
					"CreatedDate", (json_int_t)acm->secret_created_s[i], "Tags",
					"Key", "acmsensor:sensor", "Value", "sensor1"));
	}
	return json_pack("{s:o}", "SecretList", items);
}

static json_t *create_secret(struct write_acm *acm, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "Name"));
	const char *token = json_string_value(json_object_get(request, "ClientRequestToken"));
	char *value = decode(request, "SecretBinary");
	if (name == NULL || token == NULL || strlen(token) != 36)
		die("no name or token", "CreateSecret");
	write_acm_put_secret(acm, name, value);
	free(value);
	return json_pack("{s:s, s:s, s:s}", "ARN", "arn:aws:secretsmanager:x", "Name", name,
		"VersionId", token);
}

static json_t *answer_secret(
	struct write_acm *acm, const char *operation, const json_t *request, struct err *err)
{
	const char *name = json_string_value(json_object_get(request, "SecretId"));
	size_t i = 0;
	if (strcmp(operation, "ListSecrets") == 0)
		return list_secrets(acm);
	if (strcmp(operation, "DeleteSecret") == 0 && acm->keeps_secrets)
		return fail(err, ERR_DENIED, "AccessDeniedException");
	if (strcmp(operation, "CreateSecret") == 0)
		return create_secret(acm, request);
	while (i < WRITE_ACM_SECRETS && (acm->secret_name[i] == NULL || name == NULL ||
						strcmp(acm->secret_name[i], name) != 0))
		i++;
	if (i == WRITE_ACM_SECRETS)
		return fail(err, ERR_NOT_FOUND, "ResourceNotFoundException");
	if (strcmp(operation, "GetSecretValue") == 0)
		return json_pack("{s:s, s:s, s:s}", "ARN", "arn:aws:secretsmanager:x", "Name", name,
			"SecretString", acm->secret[i]);
	free(acm->secret_name[i]);
	free(acm->secret[i]);
	acm->secret_name[i] = acm->secret[i] = NULL;
	return json_pack("{s:s, s:s}", "ARN", "arn:aws:secretsmanager:x", "Name", "x");
}

bool write_acm_answer(void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	struct write_acm *acm = arg;
	bool is_secret = strstr(call->operation, "Secret") != NULL;
	json_t *request = json_loads(call->body, 0, NULL);
	if (request == NULL || (!is_secret && strcmp(call->account, acm->account_id) != 0))
		die("a wrong request", call->body);
	json_t *made = is_secret ? answer_secret(acm, call->operation, request, err)
				 : answer_acm(acm, call->operation, request, err);
	bool is_counted =
		acm->lose_operation == NULL || strcmp(acm->lose_operation, call->operation) == 0;
	if (made != NULL && acm->lose_at > 0 && is_counted && --acm->lose_at == 0) {
		json_decref(made);
		made = NULL;
		err_set(err, ERR_TIMEOUT, "acm %s: no answer", call->operation);
		err_set_code(err, "answer_lost");
	}
	if (made != NULL)
		*ret_body = json_dumps(made, JSON_COMPACT);
	json_decref(made);
	json_decref(request);
	return true;
}
