/* What is particular to a plan: its body, its bundle, its answer. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/arn.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/job_tags.h"
#include "sensor/desk_internal.h"
#include "sensor/local_api.h"

enum { PASSPHRASE_MAX = 1024 };
_Static_assert((int)LOCAL_API_CONNECTOR_MAX == (int)CONFIG_NAME_MAX &&
		       (int)LOCAL_API_ARN_MAX == (int)ARN_MAX &&
		       (int)LOCAL_API_CERTIFICATE_ID_MAX == (int)CERTIFICATE_ID_MAX &&
		       (int)LOCAL_API_ID_MAX == (int)DELIVERY_ID_MAX &&
		       (int)LOCAL_API_TAGS_MAX == (int)DELIVERY_TAGS_MAX &&
		       (int)LOCAL_API_VERIFY_HOSTS_MAX == (int)VERIFY_HOSTS_MAX,
	"what the API promises is what there is room for");

static const char *const members[] = {"connector", "account", "region", "arn", "certificate_id",
	"new_arn", "certificate", "chain", "key", "pkcs12", "passphrase", "keep_root", "csr",
	"tags", "verify_hosts", "auto_rollback"};

/* --- the body --------------------------------------------------------------------------------- */

static int read_secret(const json_t *body, const char *name, size_t max, struct secret *secret,
	bool *ret_is_there, struct err *err)
{
	const char *text = NULL;
	if (json_get_text(body, name, max, &text, err) != 0)
		return -1;
	*ret_is_there = text != NULL && text[0] != '\0';
	if (*ret_is_there)
		secret_set(secret, text, strlen(text));
	return 0;
}

/* base64, which carries the key: decoded from one secret into the other. */
static int read_pkcs12(const json_t *body, struct secret *ret_der, struct err *err)
{
	struct secret text = SECRET_INIT, room = SECRET_INIT;
	bool is_there = false;
	int rc = read_secret(body, "pkcs12", SECRET_MAX, &text, &is_there, err);
	if (rc == 0 && is_there) {
		secret_copy(&room, &text); /* larger than what it holds */
		int len = text.len % 4 != 0
				  ? -1
				  : EVP_DecodeBlock(room.bytes, text.bytes, (int)text.len);
		if (len <= 0)
			rc = err_set(err, ERR_CONFIG, "pkcs12: expected base64");
		else
			secret_set(ret_der, room.bytes,
				(size_t)len - (text.bytes[text.len - 1] == '=') -
					(text.bytes[text.len - 2] == '='));
	}
	secret_clear(&text);
	secret_clear(&room);
	return rc;
}

static int read_tags(const json_t *body, struct desk_plan *plan, struct err *err)
{
	const json_t *tags = NULL;
	const char *key;
	json_t *value;
	if (json_get_object(body, "tags", &tags, err) != 0)
		return -1;
	json_object_foreach((json_t *)tags, key, value)
	{
		const char *text = json_string_value(value);
		if (text == NULL || key[0] == '\0' ||
			text_utf8_count(text, strlen(text)) > LOCAL_API_TAG_VALUE_MAX ||
			text_utf8_count(key, strlen(key)) > LOCAL_API_TAG_KEY_MAX)
			return err_set(err, ERR_CONFIG,
				"tags: expected keys of 1 to %d and values of at most %d characters",
				LOCAL_API_TAG_KEY_MAX, LOCAL_API_TAG_VALUE_MAX);
		if (job_tags_misfit(key) != NULL || job_tags_misfit(text) != NULL)
			return err_set(err, ERR_CONFIG,
				"tag \"%.64s\": AWS takes letters, digits, blanks and _.:/=+-@ only",
				key);
		if (job_tags_is_reserved(key))
			return err_set(err, ERR_CONFIG,
				"tag \"%.64s\": keys that begin with acmsensor: or aws: are not "
				"yours to set",
				key);
		if (plan->tag_count == DELIVERY_TAGS_MAX)
			return err_set(
				err, ERR_CONFIG, "tags: expected at most %d", DELIVERY_TAGS_MAX);
		plan->tag[plan->tag_count++] =
			(struct acm_tag){.key = (char *)key, .value = (char *)text};
	}
	return 0;
}

static int read_material(struct desk_op *op, struct err *err)
{
	const json_t *body = op->body;
	struct desk_plan *plan = &op->plan;
	struct bundle_input *input = &plan->input;
	bool has_passphrase = false;
	if (json_get_text(body, "certificate", BUNDLE_INPUT_MAX, &input->certificate, err) != 0 ||
		json_get_text(body, "chain", BUNDLE_INPUT_MAX, &input->chain, err) != 0 ||
		read_secret(body, "key", SECRET_MAX, &plan->key, &plan->has_key, err) != 0 ||
		read_secret(body, "passphrase", PASSPHRASE_MAX, &plan->passphrase, &has_passphrase,
			err) != 0 ||
		read_pkcs12(body, &plan->pkcs12, err) != 0 ||
		json_get_bool(body, "keep_root", &input->keep_root, err) != 0)
		return -1;
	bool has_pkcs12 = secret_is_set(&plan->pkcs12);
	bool has_csr = plan->csr_id[0] != '\0';
	if (has_pkcs12 && (input->certificate != NULL || input->chain != NULL || plan->has_key))
		return err_set(
			err, ERR_CONFIG, "pkcs12 comes alone: it holds certificate, key and chain");
	if (!has_pkcs12 && input->certificate == NULL)
		return err_set(err, ERR_CONFIG, "expected a certificate, or pkcs12");
	if (has_csr && (plan->has_key || has_pkcs12))
		return err_set(err, ERR_CONFIG,
			"csr and key exclude each other: the key of a request is in the vault");
	input->certificate_len = input->certificate != NULL ? strlen(input->certificate) : 0;
	input->chain_len = input->chain != NULL ? strlen(input->chain) : 0;
	input->key = plan->has_key ? &plan->key : NULL;
	input->pkcs12 = has_pkcs12 ? &plan->pkcs12 : NULL;
	input->passphrase = has_passphrase ? &plan->passphrase : NULL;
	input->now_s = clock_agreed_s(op->desk->now_s(op->desk->arg));
	return 0;
}

/* Account and region may be left to the ARN; both must agree. */
static int read_place(struct desk_op *op, const char *account, const char *region, struct err *err)
{
	const struct desk_plan *plan = &op->plan;
	struct arn arn = {.resource = ""};
	if (plan->arn[0] != '\0' && !arn_parse_certificate(plan->arn, &arn))
		return err_set(err, ERR_CONFIG, "arn: expected the ARN of an ACM certificate");
	if (account[0] == '\0')
		account = arn.account_id;
	if (region[0] == '\0')
		region = arn.region;
	if (!text_is_account_id(account))
		return err_set(err, ERR_CONFIG, "account: expected 12 digits");
	if (!text_is_region(region))
		return err_set(
			err, ERR_CONFIG, "region: expected a region's name such as eu-central-1");
	if (plan->arn[0] != '\0' &&
		(strcmp(arn.account_id, account) != 0 || strcmp(arn.region, region) != 0))
		return err_set(err, ERR_CONFIG,
			"arn: it is of account %s in %s, not of account %s in %s", arn.account_id,
			arn.region, account, region);
	(void)text_copy(op->account_id, sizeof(op->account_id), account);
	(void)text_copy(op->region, sizeof(op->region), region);
	return 0;
}

int desk_plan_read(struct desk_op *op, struct err *err)
{
	const json_t *body = op->body;
	struct desk_plan *plan = &op->plan;
	const char *connector = "", *account = "", *region = "";
	plan->arn = plan->certificate_id = plan->csr_id = "";
	if (desk_check_members(body, members, sizeof(members) / sizeof(members[0]), err) != 0 ||
		json_get_text(body, "connector", CONFIG_NAME_MAX, &connector, err) != 0 ||
		json_get_text(body, "account", 64, &account, err) != 0 ||
		json_get_text(body, "region", 64, &region, err) != 0 ||
		json_get_text(body, "arn", ARN_MAX, &plan->arn, err) != 0 ||
		json_get_text(body, "certificate_id", CERTIFICATE_ID_MAX, &plan->certificate_id,
			err) != 0 ||
		json_get_text(body, "csr", DELIVERY_ID_MAX, &plan->csr_id, err) != 0 ||
		json_get_bool(body, "new_arn", &plan->is_new_arn, err) != 0 ||
		json_get_bool(body, "auto_rollback", &plan->auto_rollback, err) != 0 ||
		read_tags(body, plan, err) != 0 ||
		desk_read_texts(body, "verify_hosts", plan->verify_host, VERIFY_HOSTS_MAX,
			&plan->verify_host_count, err) != 0 ||
		read_material(op, err) != 0 || read_place(op, account, region, err) != 0)
		return -1;
	op->connector = op->desk->connector(op->desk->arg, connector, err);
	return op->connector != NULL ? desk_check_place(op, plan->arn, &plan->is_region_unread, err)
				     : -1;
}

void desk_plan_work(struct desk_op *op)
{
	struct desk_plan *plan = &op->plan;
	(void)bundle_read(
		&plan->input, plan->csr_id[0] == '\0', &plan->bundle, &op->err); /* err tells */
	secret_clear(&plan->key);
	secret_clear(&plan->pkcs12);
	secret_clear(&plan->passphrase);
}

/* --- the plan --------------------------------------------------------------------------------- */

static void on_made(void *arg, const char *document, const struct err *make_err)
{
	struct desk_op *op = arg;
	struct buf answer;
	struct err err = make_err != NULL ? *make_err : (struct err)ERR_INIT;
	op->is_elsewhere = plan_make_is_at_escrow(op->plan.make);
	op->plan.make = NULL;
	buf_init(&answer, DESK_DOCUMENT_MAX);
	if (make_err == NULL) {
		buf_addf(&answer, "{\"schema\": %d, \"plan\": ", LOCAL_API_SCHEMA);
		buf_add_text(&answer, document);
		buf_add_text(&answer, "}\n");
	}
	int rc = make_err != NULL ? -1 : buf_check(&answer, "the plan", &err);
	desk_op_end(op, rc == 0 ? &answer : NULL, rc == 0 ? NULL : &err);
	buf_clear(&answer);
}

void desk_plan_make(struct desk_op *op)
{
	struct desk_plan *plan = &op->plan;
	const struct config_connector *config = connector_config(op->connector);
	const struct delivery_target target = {.client = account_access_client(op->access),
		.hub = connector_hub(op->connector),
		.hub_region = config->region,
		.kms_key_id = config->kms_key_id,
		.connector = config->name,
		.partition = account_access_partition(op->access),
		.account_id = op->account_id,
		.region = op->region};
	plan->make = plan_make_start(op->desk->delivery, &target,
		&(struct plan_request){.arn = plan->arn,
			.certificate_id = plan->certificate_id,
			.is_new_arn = plan->is_new_arn,
			.reimport_allowed = config->reimport,
			.is_region_unread = plan->is_region_unread,
			.escrow = config->key_escrow,
			.bundle = &plan->bundle,
			.csr_id = plan->csr_id,
			.tag = plan->tag,
			.tag_count = plan->tag_count,
			.verify_host = plan->verify_host,
			.verify_host_count = plan->verify_host_count,
			.auto_rollback = plan->auto_rollback,
			.requested_by = op->by},
		on_made, op);
}

void desk_plan_clear(struct desk_plan *plan)
{
	plan_make_cancel(plan->make);
	secret_clear(&plan->key);
	secret_clear(&plan->pkcs12);
	secret_clear(&plan->passphrase);
	bundle_clear(&plan->bundle);
}
