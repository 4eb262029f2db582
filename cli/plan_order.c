/* The order of a plan (see plan_order.h). */
#include "cli/plan_order.h"

#include <string.h>

#include "base/err.h"
#include "base/host.h"
#include "base/json_write.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/argument.h"
#include "cli/arn_place.h"
#include "cli/files.h"
#include "sensor/local_api.h"

enum {
	CERTIFICATE_MAX = 2097152 + 65536, /* ACM's limits of a chain and a certificate */
	/* base64 makes SECRET_MAX of it, which the daemon takes: of PKCS#12, and of a key in DER */
	BYTES_MAX = SECRET_MAX / 4 * 3,
	PLACE_MAX = 64,
	HOST_MAX = 256,
};

void plan_order_init(struct plan_order *order, const struct args *args)
{
	order->args = args;
	order->standard_input = NULL;
	buf_init_secret(&order->certificate, CERTIFICATE_MAX);
	buf_init_secret(&order->chain, CERTIFICATE_MAX);
	buf_init_secret(&order->key, BYTES_MAX);
	buf_init_secret(&order->pkcs12, BYTES_MAX);
	/* A file may have more lines than the passphrase. */
	buf_init_secret(&order->passphrase, 4 * (PASSPHRASE_MAX + 1));
}

void plan_order_clear(struct plan_order *order)
{
	buf_clear(&order->certificate);
	buf_clear(&order->chain);
	buf_clear(&order->key);
	buf_clear(&order->pkcs12);
	buf_clear(&order->passphrase);
}

/* --- what is given ---------------------------------------------------------------------------- */

static int check_material(const struct args *args, struct err *err)
{
	bool has_key = args_has(args, "key"), has_csr = args_has(args, "csr");
	if (args_has(args, "pkcs12")) {
		if (args_has(args, "cert") || has_key || has_csr || args_has(args, "chain"))
			return err_set(err, ERR_CONFIG,
				"--pkcs12 comes alone: it holds certificate, key and chain");
		return 0;
	}
	if (!args_has(args, "cert"))
		return err_set(err, ERR_CONFIG,
			"the certificate is missing: give --cert FILE and --key FILE, or --pkcs12 "
			"FILE");
	if (has_csr && has_key)
		return err_set(err, ERR_CONFIG,
			"--csr and --key exclude each other: the key of a request stays on the "
			"sensor");
	if (!has_csr && !has_key)
		return err_set(err, ERR_CONFIG,
			"the key is missing: give --key FILE (the same file as --cert when it "
			"holds both), or --csr REQUEST for a key made on the sensor");
	return 0;
}

/* Certificate, key and chain may share it: it is read once for all of them. */
static int check_stdin(const struct args *args, struct err *err)
{
	static const char *const option[] = {"cert", "key", "chain", "pkcs12", "passphrase-file"};
	enum { MATERIAL = 3 };
	const char *first = NULL;
	for (size_t i = 0; i < sizeof(option) / sizeof(option[0]); i++) {
		const char *path = args_get(args, option[i]);
		if (path == NULL || strcmp(path, "-") != 0)
			continue;
		if (first != NULL && i >= MATERIAL)
			return err_set(err, ERR_CONFIG,
				"standard input is read once, but --%s and --%s both say -", first,
				option[i]);
		first = option[i];
	}
	return 0;
}

static int check_place(const struct args *args, struct err *err)
{
	struct arn_place place;
	const char *arn = args_get(args, "arn");
	const char *account = args_get(args, "account"), *region = args_get(args, "region");
	if (arn == NULL && (account == NULL || region == NULL))
		return err_set(err, ERR_CONFIG,
			"where to is missing: give --account ACCOUNT and --region REGION, or --arn ARN");
	if (arn != NULL && !arn_place_parse(arn, &place))
		return err_set(err, ERR_CONFIG,
			"--arn %.100s: expected arn:aws:acm:REGION:ACCOUNT:certificate/ID", arn);
	if (account != NULL && !text_is_account_id(account))
		return err_set(err, ERR_CONFIG, "--account %.40s: expected 12 digits", account);
	if (region != NULL && !text_is_region(region))
		return err_set(err, ERR_CONFIG,
			"--region %.40s: expected a region's name such as eu-central-1", region);
	if (arn != NULL && account != NULL && strcmp(account, place.account_id) != 0)
		return err_set(err, ERR_CONFIG, "--account %s: the ARN is of account %s", account,
			place.account_id);
	if (arn != NULL && region != NULL && strcmp(region, place.region) != 0)
		return err_set(
			err, ERR_CONFIG, "--region %s: the ARN is of %s", region, place.region);
	return 0;
}

static int check_texts(const struct args *args, struct err *err)
{
	static const struct {
		const char *option;
		size_t max_bytes;
	} text[] = {{"connector", LOCAL_API_CONNECTOR_MAX}, {"account", PLACE_MAX},
		{"region", PLACE_MAX}, {"arn", LOCAL_API_ARN_MAX},
		{"certificate-id", LOCAL_API_CERTIFICATE_ID_MAX}, {"csr", LOCAL_API_ID_MAX}};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (argument_check_text(args, text[i].option, text[i].max_bytes, err) != 0)
			return -1;
	if (args_has(args, "csr") &&
		!text_has_prefix(args_get(args, "csr"), LOCAL_API_REQUEST_PREFIX))
		return err_set(err, ERR_CONFIG,
			"--csr %.100s: expected the id of a request, such as " LOCAL_API_REQUEST_PREFIX
			"20261121-120000-0123456789; acmsensor csr --list shows them",
			args_get(args, "csr"));
	return 0;
}

static int check_hosts(const struct args *args, struct err *err)
{
	const char *text;
	for (int at = 0; (text = args_next(args, "verify-host", &at)) != NULL;) {
		char host[HOST_MAX];
		int port;
		if (host_parse(text, 0, host, sizeof(host), &port, err) != 0)
			return err_wrap(err, "--verify-host %.100s", text);
	}
	return argument_check_count(args, "verify-host", LOCAL_API_VERIFY_HOSTS_MAX, err);
}

static int check_tag(const char *text, struct err *err)
{
	size_t len = strcspn(text, "=");
	if (len == 0 || text[len] != '=' || !text_is_utf8(text, strlen(text)))
		return err_set(err, ERR_CONFIG, "--tag %.100s: expected KEY=VALUE", text);
	const char *value = text + len + 1;
	if (text_utf8_count(text, len) > LOCAL_API_TAG_KEY_MAX ||
		text_utf8_count(value, strlen(value)) > LOCAL_API_TAG_VALUE_MAX)
		return err_set(err, ERR_CONFIG,
			"--tag %.40s...: a key has at most %d characters, a value %d", text,
			LOCAL_API_TAG_KEY_MAX, LOCAL_API_TAG_VALUE_MAX);
	return 0;
}

static int check_tags(const struct args *args, struct err *err)
{
	const char *text, *other;
	for (int at = 0; (text = args_next(args, "tag", &at)) != NULL;) {
		if (check_tag(text, err) != 0)
			return -1;
		size_t len = strcspn(text, "=");
		for (int next = at; (other = args_next(args, "tag", &next)) != NULL;)
			if (strncmp(text, other, len + 1) == 0)
				return err_set(err, ERR_CONFIG, "--tag %.*s is given twice",
					(int)(len < 100 ? len : 100), text);
	}
	return argument_check_count(args, "tag", LOCAL_API_TAGS_MAX, err);
}

int plan_order_check(const struct args *args, struct err *err)
{
	if (check_texts(args, err) != 0 || check_place(args, err) != 0 ||
		check_material(args, err) != 0 || check_stdin(args, err) != 0 ||
		check_hosts(args, err) != 0)
		return -1;
	return check_tags(args, err);
}

/* --- files ------------------------------------------------------------------------------------ */

static int read_pem(struct plan_order *order, const char *option, struct buf *to, struct err *err)
{
	const char *path = args_get(order->args, option + strlen("--"));
	if (path == NULL)
		return 0;
	bool is_stdin = strcmp(path, "-") == 0;
	if (is_stdin && order->standard_input != NULL) {
		buf_add(to, buf_text(order->standard_input), order->standard_input->len);
		return buf_check(to, option, err);
	}
	if (is_stdin)
		order->standard_input = to;
	return files_read_pem(path, option, to == &order->key, to, err);
}

int plan_order_read(struct plan_order *order, struct err *err)
{
	const struct args *args = order->args;
	const char *path;
	if (read_pem(order, "--cert", &order->certificate, err) != 0 ||
		read_pem(order, "--chain", &order->chain, err) != 0 ||
		read_pem(order, "--key", &order->key, err) != 0)
		return -1;
	if ((path = args_get(args, "pkcs12")) != NULL &&
		files_read(path, "--pkcs12", true, &order->pkcs12, err) != 0)
		return -1;
	if ((path = args_get(args, "passphrase-file")) != NULL)
		return files_read_passphrase(path, &order->passphrase, err);
	return 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_buf(struct json_writer *writer, const char *name, const struct buf *text)
{
	if (text->len == 0)
		return;
	if (!files_is_text(text)) { /* DER */
		json_member_base64(writer, name, text->data, text->len);
		return;
	}
	json_key(writer, name);
	json_text_len(writer, text->data, text->len);
}

static void write_place(const struct args *args, struct json_writer *writer)
{
	struct arn_place place = {.account_id = ""};
	const char *arn = args_get(args, "arn"), *connector = args_get(args, "connector");
	const char *account = args_get(args, "account"), *region = args_get(args, "region");
	if (arn != NULL)
		(void)arn_place_parse(arn, &place); /* was checked */
	/* Which connector, when it is the only one, is for the daemon to know. */
	json_member_text(writer, "connector", connector != NULL ? connector : "");
	json_member_text(writer, "account", account != NULL ? account : place.account_id);
	json_member_text(writer, "region", region != NULL ? region : place.region);
	if (arn != NULL)
		json_member_text(writer, "arn", arn);
	if (args_has(args, "certificate-id"))
		json_member_text(writer, "certificate_id", args_get(args, "certificate-id"));
	if (args_has(args, "csr"))
		json_member_text(writer, "csr", args_get(args, "csr"));
}

static void write_flags(const struct args *args, struct json_writer *writer)
{
	static const char *const flag[][2] = {{"new-arn", "new_arn"}, {"keep-root", "keep_root"},
		{"auto-rollback", "auto_rollback"}};
	for (size_t i = 0; i < sizeof(flag) / sizeof(flag[0]); i++)
		if (args_has(args, flag[i][0]))
			json_member_bool(writer, flag[i][1], true);
}

static void write_tags(const struct args *args, struct json_writer *writer)
{
	const char *text;
	json_key(writer, "tags");
	json_open_object(writer);
	for (int at = 0; (text = args_next(args, "tag", &at)) != NULL;) {
		struct buf key;
		size_t len = strcspn(text, "=");
		buf_init(&key, len + 1);
		buf_add(&key, text, len);
		json_member_text(writer, buf_text(&key), text + len + 1);
		buf_clear(&key);
	}
	json_close_object(writer);
}

void plan_order_write(const struct plan_order *order, struct buf *to)
{
	struct json_writer writer;
	const char *text;
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	write_place(order->args, &writer);
	write_flags(order->args, &writer);
	write_tags(order->args, &writer);
	json_key(&writer, "verify_hosts");
	json_open_array(&writer);
	for (int at = 0; (text = args_next(order->args, "verify-host", &at)) != NULL;)
		json_text(&writer, text);
	json_close_array(&writer);
	write_buf(&writer, "certificate", &order->certificate);
	write_buf(&writer, "chain", &order->chain);
	write_buf(&writer, "key", &order->key);
	write_buf(&writer, "passphrase", &order->passphrase);
	if (order->pkcs12.len > 0)
		json_member_base64(&writer, "pkcs12", order->pkcs12.data, order->pkcs12.len);
	json_close_object(&writer);
}
