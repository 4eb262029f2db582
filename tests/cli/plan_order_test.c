/* The order of a plan: what is refused before anything is read, what is sent, what is left in
 * memory. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/plan_order.h"
#include "tests/cli/folder_fixture.h"
#include "tests/lib/needle.h"

#define ARN   "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234"
#define PLACE "--account 123456789012 --region eu-west-1 "

enum { WORDS_MAX = 160, NEEDLE_SEED = 41 };

const struct option_spec global_options[] = {{NULL, NULL, NULL}};

/* Linked in place of cli/say.c: files.c warns. */
void cli_note(const char *format, ...)
{
	(void)format;
}

static const struct option_spec options[] = {{"connector", "NAME", ""}, {"account", "ID", ""},
	{"region", "REGION", ""}, {"arn", "ARN", ""}, {"certificate-id", "ID", ""},
	{"new-arn", NULL, ""}, {"cert", "FILE", ""}, {"key", "FILE", ""}, {"chain", "FILE", ""},
	{"pkcs12", "FILE", ""}, {"passphrase-file", "FILE", ""}, {"csr", "ID", ""},
	{"keep-root", NULL, ""}, {"tag", "KEY=VALUE...", ""}, {"verify-host", "HOST[:PORT]...", ""},
	{"auto-rollback", NULL, ""}, {NULL, NULL, NULL}};

static int run(struct cli *cli, const struct args *args)
{
	(void)cli;
	(void)args;
	return 0;
}

static const struct command table[] = {
	{"plan", "", "", options, 0, 0, run, false}, {NULL, NULL, NULL, NULL, 0, 0, NULL, false}};

/* words: separated by single blanks; valid until the next call. */
static struct args parse(const char *words)
{
	static char copy[4096];
	static char *argv[WORDS_MAX];
	const struct command *command;
	struct args global, args = {.option = NULL};
	struct err err = ERR_INIT;
	int argc = 0;
	snprintf(copy, sizeof(copy), "plan %s", words);
	for (char *at = copy, *word; (word = strsep(&at, " ")) != NULL;)
		if (word[0] != '\0')
			argv[argc++] = word;
	assert_int_equal(options_parse(table, argc, argv, &command, &global, &args, &err), 0);
	return args;
}

static void refused(const char *words, const char *message)
{
	struct args args = parse(words);
	struct err err = ERR_INIT;
	assert_int_equal(plan_order_check(&args, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, message);
}

static void taken(const char *words)
{
	struct args args = parse(words);
	struct err err = ERR_INIT;
	assert_int_equal(plan_order_check(&args, &err), 0);
}

static void what_is_complete_is_taken(void **state)
{
	(void)state;
	taken(PLACE "--cert c --key k");
	taken(PLACE "--cert c --key k --chain h --passphrase-file -");
	taken(PLACE "--cert c --csr q-1 --certificate-id shop");
	taken(PLACE "--pkcs12 p --passphrase-file f");
	taken("--arn " ARN " --cert - --key k");
	taken("--arn " ARN " --account 123456789012 --region eu-west-1 --pkcs12 -");
	taken(PLACE "--pkcs12 p --verify-host a.example --verify-host a.example:8443");
	taken(PLACE "--cert c --key k --tag a=1 --tag ab=1 --tag b= --tag A=1");
}

static void what_contradicts_itself_is_refused(void **state)
{
	(void)state;
	refused(PLACE "--pkcs12 p --chain c",
		"--pkcs12 comes alone: it holds certificate, key and chain");
	refused(PLACE "--cert c --key k --csr q-1",
		"--csr and --key exclude each other: the key of a request stays on the sensor");
	static const char *const more[] = {"--cert c", "--key k", "--csr q-1"};
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		char words[128];
		(void)snprintf(words, sizeof(words), PLACE "--pkcs12 p %s", more[i]);
		refused(words, "--pkcs12 comes alone: it holds certificate, key and chain");
	}
	refused(PLACE "--cert c --csr arn.csr",
		"--csr arn.csr: expected the id of a request, such as q-20261121-120000-0123456789; "
		"acmsensor csr --list shows them");
	refused("--arn " ARN " --account 999988887777 --pkcs12 p",
		"--account 999988887777: the ARN is of account 123456789012");
	refused("--arn " ARN " --region eu-west-2 --pkcs12 p",
		"--region eu-west-2: the ARN is of eu-west-1");
	refused(PLACE "--cert - --key k --passphrase-file -",
		"standard input is read once, but --cert and --passphrase-file both say -");
	refused(PLACE "--pkcs12 p --tag a=1 --tag b=1 --tag a=", "--tag a is given twice");
}

static void what_is_missing_is_named_with_what_to_give(void **state)
{
	(void)state;
	refused("--cert c --key k",
		"where to is missing: give --account ACCOUNT and --region REGION, or --arn ARN");
	refused("--region eu-west-1 --cert c --key k",
		"where to is missing: give --account ACCOUNT and --region REGION, or --arn ARN");
	refused("--account 123456789012 --cert c --key k",
		"where to is missing: give --account ACCOUNT and --region REGION, or --arn ARN");
	refused(PLACE, "the certificate is missing: give --cert FILE and --key FILE, or --pkcs12 "
		       "FILE");
	refused(PLACE "--cert c",
		"the key is missing: give --key FILE (the same file as --cert when it holds both), "
		"or --csr REQUEST for a key made on the sensor");
}

static void what_is_no_text_is_refused(void **state)
{
	(void)state;
	refused(PLACE "--pkcs12 p --certificate-id \xff", "--certificate-id is not UTF-8 text");
	refused("--arn arn:aws:iam::123456789012:role/R --pkcs12 p",
		"--arn arn:aws:iam::123456789012:role/R: expected "
		"arn:aws:acm:REGION:ACCOUNT:certificate/ID");
	refused("--account 1234 --region eu-west-1 --pkcs12 p",
		"--account 1234: expected 12 digits");
	refused("--account 123456789012 --region Europe --pkcs12 p",
		"--region Europe: expected a region's name such as eu-central-1");
	refused(PLACE "--pkcs12 p --tag =v", "--tag =v: expected KEY=VALUE");
	refused(PLACE "--pkcs12 p --tag key", "--tag key: expected KEY=VALUE");
	refused(PLACE "--pkcs12 p --verify-host https://a",
		"--verify-host https://a: expected HOST or HOST:PORT, as in www.example.com:8443 or "
		"[2001:db8::1]:8443");
	refused(PLACE "--pkcs12 p --verify-host :",
		"--verify-host :: expected HOST or HOST:PORT, as in www.example.com:8443 or "
		"[2001:db8::1]:8443");
	refused(PLACE "--pkcs12 p --verify-host a:0",
		"--verify-host a:0: the port is not a whole number from 1 to 65535");
	refused(PLACE "--pkcs12 p --verify-host *.example.com",
		"--verify-host *.example.com: a wildcard is no host: expected one of the hosts that "
		"it covers");
	refused(PLACE "--pkcs12 p --tag a=\xff", "--tag a=\xff: expected KEY=VALUE");
	refused(PLACE "--pkcs12 p --verify-host=",
		"--verify-host : expected HOST or HOST:PORT, as in www.example.com:8443 or "
		"[2001:db8::1]:8443");
	refused("--arn= --pkcs12 p", "--arn is empty");
}

/* With the options' names: those of the API's members help nobody who typed. */
static void what_the_daemon_would_not_take_is_said_before(void **state)
{
	(void)state;
	char words[2048];
	(void)snprintf(words, sizeof(words), PLACE "--pkcs12 p --certificate-id %0129d", 0);
	refused(words, "--certificate-id is longer than 128 bytes: "
		       "0000000000000000000000000000000000000000...");
	(void)snprintf(words, sizeof(words), PLACE "--pkcs12 p --tag %0129d=", 0);
	refused(words, "--tag 0000000000000000000000000000000000000000...: a key has at most 128 "
		       "characters, a value 256");
	(void)snprintf(words, sizeof(words), PLACE "--pkcs12 p --tag a=%0257d", 0);
	refused(words, "--tag a=00000000000000000000000000000000000000...: a key has at most 128 "
		       "characters, a value 256");
	(void)snprintf(words, sizeof(words), PLACE "--pkcs12 p --tag %0128d=%0256d", 0, 0);
	taken(words);
	size_t len = (size_t)snprintf(words, sizeof(words), PLACE "--pkcs12 p --tag ");
	for (int i = 0; i < 128; i++) /* two bytes each */
		len += (size_t)snprintf(words + len, sizeof(words) - len, "\303\244");
	(void)snprintf(words + len, sizeof(words) - len, "=");
	taken(words);
	len = (size_t)snprintf(words, sizeof(words), PLACE "--pkcs12 p");
	for (int i = 0; i < 33; i++)
		len += (size_t)snprintf(words + len, sizeof(words) - len, " --verify-host h%d", i);
	refused(words, "--verify-host is given 33 times, at most 32 are taken");
	len = (size_t)snprintf(words, sizeof(words), PLACE "--pkcs12 p");
	for (int i = 0; i < 41; i++)
		len += (size_t)snprintf(words + len, sizeof(words) - len, " --tag t%d=", i);
	refused(words, "--tag is given 41 times, at most 40 are taken");
}

static void der_is_sent_as_base64(void **state)
{
	(void)state;
	struct args args = parse(PLACE "--cert c --key k");
	struct plan_order order;
	struct buf body;
	plan_order_init(&order, &args);
	buf_init_secret(&body, 4096);
	buf_add(&order.certificate, "0\x82\x01", 3);
	buf_add(&order.key, "0\0\x01", 3);
	plan_order_write(&order, &body);
	assert_non_null(strstr(buf_text(&body), "\"certificate\":\"MIIB\",\"key\":\"MAAB\"}"));
	buf_clear(&body);
	plan_order_clear(&order);
}

static void the_order_is_json_of_what_was_given(void **state)
{
	(void)state;
	struct args args = parse("--arn " ARN " --cert c --key k --tag a=b=c --tag d= "
				 "--verify-host h:1 --keep-root");
	struct plan_order order;
	struct buf body;
	plan_order_init(&order, &args);
	buf_init_secret(&body, 4096);
	buf_add_text(&order.certificate, "C\n\"");
	buf_add_text(&order.pkcs12, "\x01\x02");
	plan_order_write(&order, &body);
	assert_string_equal(buf_text(&body),
		"{\"connector\":\"\",\"account\":\"123456789012\",\"region\":\"eu-west-1\","
		"\"arn\":\"" ARN "\",\"keep_root\":true,\"tags\":{\"a\":\"b=c\",\"d\":\"\"},"
		"\"verify_hosts\":[\"h:1\"],\"certificate\":\"C\\n\\\"\",\"pkcs12\":\"AQI=\"}");
	buf_clear(&body);
	plan_order_clear(&order);
}

static void the_order_names_its_place_as_given(void **state)
{
	(void)state;
	struct args args = parse(PLACE "--connector prod --certificate-id shop --csr q-1 --cert c "
				       "--new-arn --auto-rollback");
	struct plan_order order;
	struct buf body;
	plan_order_init(&order, &args);
	buf_init_secret(&body, 4096);
	plan_order_write(&order, &body);
	assert_string_equal(buf_text(&body),
		"{\"connector\":\"prod\",\"account\":\"123456789012\",\"region\":\"eu-west-1\","
		"\"certificate_id\":\"shop\",\"csr\":\"q-1\",\"new_arn\":true,"
		"\"auto_rollback\":true,\"tags\":{},\"verify_hosts\":[]}");
	buf_clear(&body);
	plan_order_clear(&order);
}

static void no_key_is_left_in_memory(void **state)
{
	(void)state;
	char needle[NEEDLE_LEN + 1];
	struct args args = parse(PLACE "--cert cert --key key --passphrase-file phrase");
	struct plan_order order;
	struct buf body;
	struct err err = ERR_INIT;
	needle_make(NEEDLE_SEED, needle);
	folder_write("cert", needle, NEEDLE_LEN, 0600);
	folder_write("key", needle, NEEDLE_LEN, 0600);
	folder_write("phrase", needle, NEEDLE_LEN, 0600);
	plan_order_init(&order, &args);
	assert_int_equal(plan_order_read(&order, &err), 0);
	assert_true(needle_count(NEEDLE_SEED) >= 3);
	buf_init_secret(&body, 65536);
	plan_order_write(&order, &body);
	assert_true(needle_count(NEEDLE_SEED) >= 6);
	buf_clear(&body);
	plan_order_clear(&order);
	assert_int_equal(needle_count(NEEDLE_SEED), 0);
}

/* What is read of these words: 0, or -1 and the option that failed. */
static int read_order(const char *words, struct plan_order *order, const char *says)
{
	struct args args = parse(words);
	struct err err = ERR_INIT;
	plan_order_init(order, &args);
	int rc = plan_order_read(order, &err);
	if (rc != 0 && strncmp(err.text, says, strlen(says)) != 0)
		fail_msg("%s: %s", words, err.text);
	return rc;
}

static void each_file_goes_into_its_member(void **state)
{
	(void)state;
	static const char *const missing[] = {"--cert none", "--chain none", "--key none",
		"--pkcs12 none", "--passphrase-file none"};
	struct plan_order order;
	folder_write("cert", "C", 1, 0600);
	folder_write("key", "K", 1, 0600);
	assert_int_equal(read_order(PLACE "--cert cert --chain cert --key key", &order, ""), 0);
	assert_string_equal(buf_text(&order.certificate), "C");
	assert_string_equal(buf_text(&order.chain), "C");
	assert_string_equal(buf_text(&order.key), "K");
	plan_order_clear(&order);
	assert_int_equal(read_order(PLACE "--pkcs12 key", &order, ""), 0);
	assert_string_equal(buf_text(&order.pkcs12), "K");
	plan_order_clear(&order);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		char words[128];
		(void)snprintf(words, sizeof(words), PLACE "%s", missing[i]);
		assert_int_equal(read_order(words, &order, missing[i]), -1);
		plan_order_clear(&order);
	}
}

/* One file with everything, from a pipe: it is read once for all that name it. */
static void standard_input_is_shared_by_all_that_it_holds(void **state)
{
	(void)state;
	struct plan_order order;
	int saved = dup(STDIN_FILENO);
	folder_write("all", "A", 1, 0600);
	int fd = open("all", O_RDONLY);
	assert_true(saved >= 0 && fd >= 0);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(read_order(PLACE "--cert - --key - --chain -", &order, ""), 0);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(fd);
	close(saved);
	assert_string_equal(buf_text(&order.certificate), "A");
	assert_string_equal(buf_text(&order.chain), "A");
	assert_string_equal(buf_text(&order.key), "A");
	plan_order_clear(&order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_complete_is_taken),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(what_is_missing_is_named_with_what_to_give),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(what_the_daemon_would_not_take_is_said_before),
		cmocka_unit_test(der_is_sent_as_base64),
		cmocka_unit_test(the_order_is_json_of_what_was_given),
		cmocka_unit_test(the_order_names_its_place_as_given),
		cmocka_unit_test(no_key_is_left_in_memory),
		cmocka_unit_test(each_file_goes_into_its_member),
		cmocka_unit_test(standard_input_is_shared_by_all_that_it_holds),
	};
	return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
