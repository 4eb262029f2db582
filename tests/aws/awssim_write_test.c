/*
 * Import, reimport, tags, deletion and secrets with the real client, sockets and all, against the
 * simulated AWS, which holds all that is sent to its rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "aws/acm_write.h"
#include "aws/cred.h"
#include "aws/secretsmanager_write.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/resolve.h"
#include "base/secret.h"
#include "tests/lib/run_awssim.h"

#define TOKEN	    "0b5a4c3d-1111-4222-8333-444455556666"
#define OTHER_TOKEN "1b5a4c3d-1111-4222-8333-444455556666"
#define MANAGED	    "acmsensor:managed-by"
#define ORGANIZATION                                                                               \
	"--accounts", "2", "--regions", "2", "--certs-per-region", "0", "--seed", "5",             \
		"--rate-scale", "0", "--fast-ca"

/* --- the world -------------------------------------------------------------------------------- */

static struct run_awssim *sim;

static struct world {
	struct loop *loop;
	struct resolve *resolve;
	struct http *http;
	struct aws *aws;
	struct cred_source *source;
	struct aws_client *client;
	const char *region;
} world;

static const char *environment(const char *name)
{
	if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
		return run_awssim_text(sim, "access_key_id");
	if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
		return run_awssim_text(sim, "secret_access_key");
	return NULL;
}

static void begin(const char *const *flags)
{
	struct err err = ERR_INIT;
	sim = run_awssim_start(flags);
	world.region = run_awssim_text(sim, "home_region");
	world.loop = loop_new(&err);
	world.resolve = resolve_new(world.loop, getaddrinfo, &err);
	world.http = http_new(world.loop, world.resolve,
		&(struct http_limits){.max_requests = 8, .per_host_max = 8, .idle_max = 8}, &err);
	world.aws = aws_new(world.loop, world.http, "acmsensor/test");
	world.source = cred_environment_new(
		&(struct cred_options){.aws = world.aws, .getenv = environment});
	struct aws_network network = {.ca_bundle = run_awssim_text(sim, "ca_file"),
		.timeouts = {.connect_ms = 5000, .first_byte_ms = 1000, .stall_ms = 1000}};
	snprintf(network.endpoints.overrides.all, ENDPOINT_URL_MAX, "%s",
		run_awssim_text(sim, "tls_url"));
	world.client = aws_client_new(world.aws, &network, "", world.source);
}

static int end(void **state)
{
	(void)state;
	aws_client_free(world.client);
	cred_source_free(world.source);
	aws_free(world.aws);
	http_free(world.http);
	resolve_free(world.resolve);
	loop_free(world.loop);
	return run_awssim_stop(sim) ? 0 : -1;
}

static int begin_calm(void **state)
{
	(void)state;
	static const char *const flags[] = {ORGANIZATION, NULL};
	begin(flags);
	return 0;
}

/* The answer of the first import is lost, which was carried out; so is one of each other kind. */
static int begin_with_lost_answers(void **state)
{
	(void)state;
	static const char *const flags[] = {ORGANIZATION, "--fault",
		"reset=1,operation=ImportCertificate,count=1,after=1", "--fault",
		"reset=1,operation=CreateSecret,count=1,after=1", "--fault",
		"http500=1,operation=AddTagsToCertificate,count=1,after=1", "--fault",
		"truncate=1,operation=GetSecretValue,count=1,after=1", NULL};
	begin(flags);
	return 0;
}

static int begin_throttled(void **state)
{
	(void)state;
	static const char *const flags[] = {
		ORGANIZATION, "--fault", "throttle=1,operation=ImportCertificate,count=2", NULL};
	begin(flags);
	return 0;
}

/* --- calls ------------------------------------------------------------------------------------ */

typedef int take_fn(const struct aws_reply *reply, void *ret, struct err *err);

struct one {
	take_fn *take; /* NULL: nothing in the answer */
	void *ret;
	struct err err;
};

static void on_one(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct one *one = arg;
	if (err != NULL)
		one->err = *err;
	else if (one->take != NULL)
		(void)one->take(reply, one->ret, &one->err);
	loop_stop(world.loop);
}

static struct err finish(const struct one *one)
{
	loop_run(world.loop);
	return one->err;
}

static void assert_good(struct err err)
{
	if (err.kind != ERR_NONE)
		fail_msg("%s", err.text);
}

static void assert_code(struct err err, enum err_kind kind, const char *code)
{
	if (err.kind != kind || strcmp(err.code, code) != 0)
		fail_msg("%s %s: %s", err_kind_name(err.kind), err.code, err.text);
}

static int take_arn(const struct aws_reply *reply, void *ret, struct err *err)
{
	return acm_import_take(reply, ret, err);
}

static struct err import(const struct acm_import *import, char **ret_arn)
{
	struct one one = {.take = take_arn, .ret = ret_arn};
	(void)acm_import_start(world.client, world.region, import, on_one, &one);
	return finish(&one);
}

static int take_tags(const struct aws_reply *reply, void *ret, struct err *err)
{
	return acm_list_tags_take(reply, ret, err);
}

static void assert_tags(const char *arn, const struct acm_tag *tag, size_t count)
{
	struct acm_tag_list tags;
	struct one one = {.take = take_tags, .ret = &tags};
	(void)acm_list_tags_start(world.client, world.region, arn, on_one, &one);
	assert_good(finish(&one));
	assert_int_equal(tags.count, count);
	for (size_t i = 0; i < count; i++) {
		bool is_there = false;
		for (size_t k = 0; k < count; k++)
			is_there |= strcmp(tags.item[k].key, tag[i].key) == 0 &&
				    strcmp(tags.item[k].value, tag[i].value) == 0;
		assert_true(is_there);
	}
	acm_tag_list_clear(&tags);
}

static int take_pem(const struct aws_reply *reply, void *ret, struct err *err)
{
	return acm_get_certificate_take(reply, ret, err);
}

static struct err get(const char *arn, struct acm_pem *ret_pem)
{
	*ret_pem = (struct acm_pem){.certificate = NULL};
	struct one one = {.take = take_pem, .ret = ret_pem};
	(void)acm_get_certificate_start(world.client, world.region, arn, on_one, &one);
	return finish(&one);
}

static int take_list(const struct aws_reply *reply, void *ret, struct err *err)
{
	char *token = NULL;
	int rc = acm_list_certificates_take(reply, ret, &token, err);
	free(token);
	return rc;
}

static size_t count_certificates(void)
{
	struct acm_summary_list list = {.item = NULL};
	struct acm_list_options options = {.include_origins = true};
	struct one one = {.take = take_list, .ret = &list};
	(void)acm_list_certificates_start(world.client, world.region, &options, on_one, &one);
	assert_good(finish(&one));
	size_t count = list.count;
	acm_summary_list_clear(&list);
	return count;
}

/* --- a certificate ---------------------------------------------------------------------------- */

struct pair {
	char *certificate;
	struct secret key;
};

static char *pem_of(BIO *bio, size_t *ret_len)
{
	char *text;
	*ret_len = (size_t)BIO_get_mem_data(bio, &text);
	char *pem = xstrndup(text, *ret_len);
	BIO_free(bio);
	return pem;
}

static struct pair make_pair(long serial)
{
	struct pair pair = {.key = SECRET_INIT};
	size_t len;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *leaf = X509_new();
	X509_set_version(leaf, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(leaf), serial);
	X509_gmtime_adj(X509_getm_notBefore(leaf), -3600);
	X509_gmtime_adj(X509_getm_notAfter(leaf), 86400);
	X509_NAME *name = X509_get_subject_name(leaf);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"shop.example.com", -1, -1, 0);
	X509_set_issuer_name(leaf, name);
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:shop.example.com");
	X509_add_ext(leaf, names, -1);
	X509_EXTENSION_free(names);
	X509_set_pubkey(leaf, key);
	assert_true(X509_sign(leaf, key, EVP_sha256()) > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, leaf);
	pair.certificate = pem_of(bio, &len);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	char *pem = pem_of(bio, &len);
	secret_set(&pair.key, pem, len);
	free(pem);
	X509_free(leaf);
	EVP_PKEY_free(key);
	return pair;
}

static void pair_clear(struct pair *pair)
{
	free(pair->certificate);
	secret_clear(&pair->key);
}

/* --- ACM -------------------------------------------------------------------------------------- */

static struct acm_tag first_tags[] = {{MANAGED, "acmsensor"}, {"note", "a + b = c"}};

static char *import_first(const struct pair *pair)
{
	char *arn = NULL;
	assert_good(import(&(struct acm_import){.certificate_pem = pair->certificate,
				   .key_pem = &pair->key,
				   .tag = first_tags,
				   .tag_count = 2},
		&arn));
	return arn;
}

static void a_certificate_lives_from_import_to_deletion(void **state)
{
	(void)state;
	struct pair first = make_pair(1), second = make_pair(2);
	char *arn = import_first(&first), *same_arn = NULL;
	assert_tags(arn, first_tags, 2);
	struct acm_import again = {.arn = arn,
		.certificate_pem = second.certificate,
		.key_pem = &second.key,
		.tag = first_tags,
		.tag_count = 2};
	assert_code(import(&again, &same_arn), ERR_REFUSED, "ValidationException"); /* tags */
	again.tag_count = 0;
	assert_good(import(&again, &same_arn));
	assert_string_equal(same_arn, arn);
	struct acm_pem pem;
	assert_good(get(arn, &pem));
	assert_string_equal(pem.certificate, second.certificate);
	acm_pem_clear(&pem);

	struct acm_tag more = {"sensor", "dc1"};
	struct one one = {.take = NULL};
	(void)acm_add_tags_start(world.client, world.region, arn, &more, 1, on_one, &one);
	assert_good(finish(&one));
	assert_tags(arn, (struct acm_tag[]){first_tags[0], first_tags[1], more}, 3);

	assert_int_equal(count_certificates(), 1);
	(void)acm_delete_start(world.client, world.region, arn, on_one, &one);
	assert_good(finish(&one));
	assert_int_equal(count_certificates(), 0);
	(void)acm_delete_start(world.client, world.region, arn, on_one, &one);
	assert_int_equal(finish(&one).kind, ERR_NOT_FOUND);
	free(arn);
	free(same_arn);
	pair_clear(&first);
	pair_clear(&second);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	(void)state;
	struct pair first = make_pair(1), second = make_pair(2);
	char *arn = NULL;
	assert_code(import(&(struct acm_import){.certificate_pem = first.certificate,
				   .key_pem = &second.key},
			    &arn),
		ERR_REFUSED, "ValidationException");
	assert_null(arn);
	assert_int_equal(count_certificates(), 0);
	pair_clear(&first);
	pair_clear(&second);
}

static void a_lost_answer_leaves_one_certificate(void **state)
{
	(void)state;
	struct pair pair = make_pair(1);
	char *arn = NULL;
	struct acm_import first = {.certificate_pem = pair.certificate, .key_pem = &pair.key};
	assert_int_equal(count_certificates(), 0); /* a connection that is kept */
	assert_code(import(&first, &arn), ERR_UNREACHABLE, AWS_ANSWER_LOST);
	assert_null(arn);
	assert_int_equal(count_certificates(), 1);
	assert_good(import(&first, &arn)); /* as ACM does: a second one */
	assert_int_equal(count_certificates(), 2);
	struct one one = {.take = NULL};
	(void)acm_add_tags_start(world.client, world.region, arn, first_tags, 2, on_one, &one);
	assert_good(finish(&one)); /* after one that failed */
	assert_tags(arn, first_tags, 2);
	free(arn);
	pair_clear(&pair);
}

static void a_throttled_import_is_tried_again(void **state)
{
	(void)state;
	struct pair pair = make_pair(1);
	free(import_first(&pair));
	assert_int_equal(count_certificates(), 1);
	struct aws_stats stats;
	aws_get_stats(world.aws, &stats);
	assert_int_equal(stats.throttles, 2);
	pair_clear(&pair);
}

/* --- Secrets Manager -------------------------------------------------------------------------- */

static struct err create(const char *name, const char *token, const char *value, size_t len)
{
	struct secret secret = SECRET_INIT;
	secret_set(&secret, value, len);
	struct one one = {.take = NULL};
	(void)secretsmanager_create_start(world.client, world.region,
		&(struct secretsmanager_create){.name = name,
			.token = token,
			.value = &secret,
			.description = "escrow \"for\" a test",
			.tag = first_tags,
			.tag_count = 2},
		on_one, &one);
	struct err err = finish(&one);
	secret_clear(&secret);
	return err;
}

static int take_value(const struct aws_reply *reply, void *ret, struct err *err)
{
	return secretsmanager_get_take(reply, ret, err);
}

static struct err read_secret(const char *name, struct secret *ret_value)
{
	struct one one = {.take = take_value, .ret = ret_value};
	(void)secretsmanager_get_start(world.client, world.region, name, on_one, &one);
	return finish(&one);
}

static struct err delete_secret(const char *name)
{
	struct one one = {.take = NULL};
	(void)secretsmanager_delete_start(world.client, world.region, name, on_one, &one);
	return finish(&one);
}

static int take_secrets(const struct aws_reply *reply, void *ret, struct err *err)
{
	char *token = NULL;
	int rc = secretsmanager_list_take(reply, MANAGED, "acmsensor", ret, &token, err);
	assert_null(token);
	return rc;
}

static void assert_only(const char *name)
{
	struct secretsmanager_list list = {.item = NULL};
	struct one one = {.take = take_secrets, .ret = &list};
	(void)secretsmanager_list_start(
		world.client, world.region, MANAGED, "acmsensor", NULL, on_one, &one);
	assert_good(finish(&one));
	assert_int_equal(list.count, name != NULL ? 1 : 0);
	if (name != NULL) {
		assert_string_equal(list.item[0].name, name);
		assert_true(list.item[0].created_s > 0);
	}
	secretsmanager_list_clear(&list);
}

/* Runs with lost answers too: each of these calls may be repeated. */
static void a_secret_lives_from_creation_to_deletion(void **state)
{
	(void)state;
	static const char value[] = "any\0bytes\xff\xfe";
	struct secret found = SECRET_INIT;
	assert_int_equal(read_secret("acmsensor/job-1", &found).kind, ERR_NOT_FOUND);
	assert_good(create("acmsensor/job-1", TOKEN, value, sizeof(value)));
	assert_good(create("acmsensor/job-1", TOKEN, value, sizeof(value))); /* the same again */
	assert_code(create("acmsensor/job-1", OTHER_TOKEN, value, sizeof(value)), ERR_REFUSED,
		"ResourceExistsException");
	assert_good(read_secret("acmsensor/job-1", &found));
	assert_int_equal(found.len, sizeof(value));
	assert_memory_equal(found.bytes, value, sizeof(value));
	secret_clear(&found);
	assert_only("acmsensor/job-1");
	assert_good(delete_secret("acmsensor/job-1"));
	assert_good(delete_secret("acmsensor/job-1"));
	assert_good(delete_secret("acmsensor/never"));
	assert_only(NULL);
}

static void a_secret_holds_64_kib(void **state)
{
	(void)state;
	char *value = xmalloc(SECRET_MAX);
	for (size_t i = 0; i < SECRET_MAX; i++)
		value[i] = (char)(i * 7);
	struct secret found = SECRET_INIT;
	assert_good(create("acmsensor/job-1", TOKEN, value, SECRET_MAX));
	assert_good(read_secret("acmsensor/job-1", &found));
	assert_int_equal(found.len, SECRET_MAX);
	assert_memory_equal(found.bytes, value, SECRET_MAX);
	secret_clear(&found);
	free(value);
}

#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int argc, char **argv)
{
	(void)argc;
	run_awssim_set_program(argv[0]);
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_lives_from_import_to_deletion, begin_calm),
		TEST(a_key_of_another_certificate_is_refused, begin_calm),
		TEST(a_lost_answer_leaves_one_certificate, begin_with_lost_answers),
		TEST(a_throttled_import_is_tried_again, begin_throttled),
		TEST(a_secret_lives_from_creation_to_deletion, begin_calm),
		TEST(a_secret_lives_from_creation_to_deletion, begin_with_lost_answers),
		TEST(a_secret_holds_64_kib, begin_calm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
