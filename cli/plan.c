/* acmsensor plan: what a delivery would do, before anything is done. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/plan_show.h"
#include "cli/row.h"
#include "sensor/local_api.h"

/* --- the order -------------------------------------------------------------------------------- */

static void set_text(json_t *order, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(order, name, json_string(text));
}

static int add_file(json_t *order, const char *name, const char *path, struct err *err)
{
	struct buf text;
	if (path == NULL)
		return 0;
	buf_init(&text, FILES_MAX_BYTES);
	int rc = files_read(path, &text, err);
	json_t *value = rc == 0 ? json_stringn(buf_text(&text), text.len) : NULL;
	if (rc == 0 && value == NULL)
		rc = err_set(
			err, ERR_CONFIG, "%s: not text; a PKCS#12 file is given by --pkcs12", path);
	if (rc == 0)
		json_object_set_new(order, name, value);
	buf_clear(&text);
	return rc;
}

/* without_newline: of a passphrase's file. */
static int add_secret(
	json_t *order, const char *name, const char *path, bool without_newline, struct err *err)
{
	struct secret secret = SECRET_INIT;
	if (path == NULL)
		return 0;
	int rc = files_read_secret(path, &secret, err);
	size_t len = secret.len;
	while (rc == 0 && without_newline && len > 0 &&
		(secret.bytes[len - 1] == '\n' || secret.bytes[len - 1] == '\r'))
		len--;
	json_t *value = rc == 0 ? json_stringn(secret_bytes(&secret), len) : NULL;
	if (rc == 0 && value == NULL)
		rc = err_set(err, ERR_CONFIG, "%s: not text: expected PEM", path);
	if (rc == 0)
		json_object_set_new(order, name, value);
	secret_clear(&secret);
	return rc;
}

static int add_pkcs12(json_t *order, const char *path, struct err *err)
{
	struct secret file = SECRET_INIT;
	if (path == NULL)
		return 0;
	if (files_read_secret(path, &file, err) != 0)
		return -1;
	struct buf text;
	size_t room = (file.len + 2) / 3 * 4 + 1;
	buf_init_secret(&text, room);
	char *to = buf_room(&text, room);
	int len = EVP_EncodeBlock((unsigned char *)to, file.bytes, (int)file.len);
	json_object_set_new(order, "pkcs12", json_stringn(to, (size_t)len));
	buf_advance(&text, (size_t)len);
	buf_clear(&text);
	secret_clear(&file);
	return 0;
}

static int add_tags(json_t *order, const struct args *args, struct err *err)
{
	json_t *tags = json_object();
	const char *text;
	for (int at = 0; (text = args_next(args, "tag", &at)) != NULL;) {
		const char *equals = strchr(text, '=');
		if (equals == NULL || equals == text) {
			json_decref(tags);
			return err_set(err, ERR_CONFIG, "--tag %.100s: expected KEY=VALUE", text);
		}
		char *key = xstrndup(text, (size_t)(equals - text));
		json_object_set_new(tags, key, json_string(equals + 1));
		free(key);
	}
	json_object_set_new(order, "tags", tags);
	return 0;
}

static void add_hosts(json_t *order, const struct args *args)
{
	json_t *hosts = json_array();
	const char *text;
	for (int at = 0; (text = args_next(args, "verify-host", &at)) != NULL;)
		json_array_append_new(hosts, json_string(text));
	json_object_set_new(order, "verify_hosts", hosts);
}

static int check_options(const struct args *args, struct err *err)
{
	bool has_pkcs12 = args_has(args, "pkcs12"), has_csr = args_has(args, "csr");
	bool has_cert = args_has(args, "cert"), has_key = args_has(args, "key");
	if (has_pkcs12 && (has_cert || has_key || has_csr || args_has(args, "chain")))
		return err_set(err, ERR_CONFIG,
			"--pkcs12 comes alone: it holds certificate, key and chain");
	if (!has_pkcs12 && !has_cert)
		return err_set(
			err, ERR_CONFIG, "give --cert FILE and --key FILE, or --pkcs12 FILE");
	if (has_csr && has_key)
		return err_set(err, ERR_CONFIG,
			"--csr and --key exclude each other: the key of a request is on the sensor");
	if (args_has(args, "arn") && args_has(args, "certificate-id"))
		return err_set(err, ERR_CONFIG, "--arn and --certificate-id exclude each other");
	return 0;
}

static int fill_order(json_t *order, const struct args *args, struct err *err)
{
	static const char *const texts[][2] = {{"connector", "connector"}, {"account", "account"},
		{"region", "region"}, {"arn", "arn"}, {"certificate_id", "certificate-id"},
		{"csr", "csr"}};
	static const char *const flags[][2] = {{"new_arn", "new-arn"}, {"keep_root", "keep-root"},
		{"auto_rollback", "auto-rollback"}};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		set_text(order, texts[i][0], args_get(args, texts[i][1]));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (args_has(args, flags[i][1]))
			json_object_set_new(order, flags[i][0], json_true());
	add_hosts(order, args);
	if (check_options(args, err) != 0 || add_tags(order, args, err) != 0 ||
		add_file(order, "certificate", args_get(args, "cert"), err) != 0 ||
		add_file(order, "chain", args_get(args, "chain"), err) != 0 ||
		add_secret(order, "key", args_get(args, "key"), false, err) != 0 ||
		add_pkcs12(order, args_get(args, "pkcs12"), err) != 0)
		return -1;
	return add_secret(order, "passphrase", args_get(args, "passphrase-file"), true, err);
}

/* --- the command ------------------------------------------------------------------------------ */

/* A passphrase is asked for only when it turns out to be needed. */
static int post(const struct cli *cli, const struct args *args, json_t *order,
	json_t **ret_document, struct err *err)
{
	struct secret passphrase = SECRET_INIT;
	if (source_post(cli, LOCAL_API_PLAN, order, ret_document, err) == 0)
		return 0;
	if (strcmp(err->code, "passphrase") != 0 || args_has(args, "passphrase-file"))
		return -1;
	if (files_ask_passphrase("Passphrase of the key: ", &passphrase, err) != 0)
		return -1;
	json_object_set_new(
		order, "passphrase", json_stringn(secret_bytes(&passphrase), passphrase.len));
	secret_clear(&passphrase);
	return source_post(cli, LOCAL_API_PLAN, order, ret_document, err);
}

int command_plan(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a key passes through: no core, no debugger */
	json_t *document = NULL, *order = json_object();
	int code = EXIT_DONE;
	if (fill_order(order, args, &err) != 0 || post(cli, args, order, &document, &err) != 0)
		code = cli_fail(&err);
	json_decref(order);
	if (document == NULL)
		return code;
	const json_t *plan = row_get(document, "plan");
	if (cli->output == OUTPUT_JSON)
		output_json(document);
	else
		plan_show(cli, plan);
	if (strcmp(row_text(plan, "decision"), "refuse") == 0)
		code = EXIT_FAILED;
	else if (json_array_size(row_get(plan, "warnings")) > 0)
		code = EXIT_WARNINGS;
	json_decref(document);
	return code;
}
