/* secret_process_init runs before anything else here, so this program searches its memory for
 * what the libraries left behind too. */
#include "base/secret.h"

#include <event2/buffer.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ini.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/xml_read.h"
#include "tests/lib/aborts.h"
#include "tests/lib/needle.h"

static void unset_secret_is_empty(void **state)
{
	(void)state;
	struct secret secret = SECRET_INIT;
	assert_false(secret_is_set(&secret));
	assert_string_equal(secret_bytes(&secret), "");
	secret_clear(&secret);
	assert_false(secret_is_set(&secret));
}

static void every_length_is_kept_with_a_nul_behind_it(void **state)
{
	(void)state;
	static const size_t edges[] = {
		0, 1, 30, 31, 32, 33, 63, 64, 1000, 4095, 4096, 32767, 32768, 65535, SECRET_MAX};
	unsigned char *bytes = xmalloc(SECRET_MAX);
	for (size_t i = 0; i < SECRET_MAX; i++)
		bytes[i] = (unsigned char)(i * 7 + 1);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		struct secret secret = SECRET_INIT;
		secret_set(&secret, bytes, edges[i]);
		assert_true(secret_is_set(&secret));
		assert_int_equal(secret.len, edges[i]);
		assert_memory_equal(secret_bytes(&secret), bytes, edges[i]);
		assert_int_equal(secret_bytes(&secret)[edges[i]], '\0');
		secret_clear(&secret);
		assert_false(secret_is_set(&secret));
		assert_int_equal(secret.len, 0);
	}
	free(bytes);
}

static void value_may_be_set_from_its_own_bytes(void **state)
{
	(void)state;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, "abcdef", 6);
	secret_set(&secret, secret.bytes + 2, 3);
	assert_string_equal(secret_bytes(&secret), "cde");
	secret_copy(&secret, &secret);
	assert_string_equal(secret_bytes(&secret), "cde");
	secret_move(&secret, &secret);
	assert_string_equal(secret_bytes(&secret), "cde");
	secret_clear(&secret);
}

static void copy_and_move(void **state)
{
	(void)state;
	struct secret a = SECRET_INIT, b = SECRET_INIT;
	secret_set(&a, "first", 5);
	secret_copy(&b, &a);
	assert_true(secret_equal(&a, &b));
	assert_ptr_not_equal(a.bytes, b.bytes);
	secret_set(&a, "second", 6);
	assert_string_equal(secret_bytes(&b), "first");
	secret_move(&b, &a);
	assert_false(secret_is_set(&a));
	assert_string_equal(secret_bytes(&b), "second");
	secret_copy(&b, &a); /* of an unset one */
	assert_false(secret_is_set(&b));
}

static void equal_compares_length_and_bytes(void **state)
{
	(void)state;
	struct secret a = SECRET_INIT, b = SECRET_INIT;
	assert_true(secret_equal(&a, &b));
	secret_set(&a, "", 0);
	assert_false(secret_equal(&a, &b)); /* empty is not unset */
	secret_set(&b, "", 0);
	assert_true(secret_equal(&a, &b));
	secret_set(&a, "abc", 3);
	secret_set(&b, "abd", 3);
	assert_false(secret_equal(&a, &b));
	secret_set(&b, "abcd", 4);
	assert_false(secret_equal(&a, &b));
	secret_set(&b, "abc", 3);
	assert_true(secret_equal(&a, &b));
	secret_clear(&a);
	secret_clear(&b);
}

/* As many as the sessions of 5,000 accounts hold, in the sizes they have. */
static void thousands_of_secrets_live_side_by_side_and_their_memory_is_used_again(void **state)
{
	(void)state;
	enum { SECRETS = 15000 };
	static const size_t len_of[] = {20, 40, 1400};
	struct secret *secret = xcalloc(SECRETS, sizeof(secret[0]));
	unsigned char value[1400];
	uintptr_t highest[2] = {0, 0};
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < SECRETS; i++) {
			memset(value, i % 251, sizeof(value));
			secret_set(&secret[i], value, len_of[i % 3]);
			if ((uintptr_t)secret[i].bytes > highest[round])
				highest[round] = (uintptr_t)secret[i].bytes;
		}
		for (int i = 0; i < SECRETS; i++) {
			memset(value, i % 251, sizeof(value));
			assert_int_equal(secret[i].len, len_of[i % 3]);
			assert_memory_equal(secret[i].bytes, value, len_of[i % 3]);
		}
		for (int i = 0; i < SECRETS; i++)
			secret_clear(&secret[(i * 7919) % SECRETS]);
	}
	assert_true(highest[0] == highest[1]);
	free(secret);
}

static void set_too_large(void)
{
	static const unsigned char bytes[SECRET_MAX + 1];
	struct secret secret = SECRET_INIT;
	secret_set(&secret, bytes, sizeof(bytes));
}

enum { ROUNDS = 1000000, HELD = 16 };

/* Sets and clears secrets that only it has; returns how many it did not find as it left them. */
static void *use_secrets(void *arg)
{
	const unsigned char *mark = arg;
	struct secret held[HELD] = {SECRET_INIT};
	unsigned char bytes[100];
	uintptr_t wrong = 0;
	memset(bytes, *mark, sizeof(bytes));
	for (int i = 0; i < ROUNDS; i++) {
		struct secret *secret = &held[i % HELD];
		wrong += secret_is_set(secret) &&
			 memcmp(secret_bytes(secret), bytes, secret->len) != 0;
		secret_set(secret, bytes, 40 + (size_t)i % 60);
	}
	for (int i = 0; i < HELD; i++)
		secret_clear(&held[i]);
	return (void *)wrong; /* NOLINT(performance-no-int-to-ptr): what a thread returns */
}

static void threads_never_get_the_same_block(void **state)
{
	(void)state;
	unsigned char mark[] = {'a', 'b', 'c'};
	pthread_t thread[sizeof(mark)];
	for (size_t i = 0; i < sizeof(mark); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_secrets, &mark[i]), 0);
	for (size_t i = 0; i < sizeof(mark); i++) {
		void *wrong;
		assert_int_equal(pthread_join(thread[i], &wrong), 0);
		assert_null(wrong);
	}
}

static void too_large_a_secret_is_a_bug(void **state)
{
	(void)state;
	assert_true(aborts(set_too_large));
}

/* The kernel's flags of the mapping that holds address (proc(5), VmFlags). */
static bool mapping_has_flag(const void *address, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	assert_non_null(maps);
	char line[512];
	bool is_inside = false, has_flag = false;
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			is_inside = (uintptr_t)address >= start && (uintptr_t)address < end;
		else if (is_inside && strncmp(line, "VmFlags:", 8) == 0)
			has_flag = strstr(line, flag) != NULL;
	}
	fclose(maps);
	return has_flag;
}

static void arena_is_left_out_of_core_dumps(void **state)
{
	(void)state;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, "x", 1);
	assert_true(mapping_has_flag(secret.bytes, " dd"));
	assert_false(mapping_has_flag(&secret, " dd"));
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	secret_clear(&secret);
}

/* What the other tests prove by finding nothing is worth something only if this finds all. */
static void search_finds_what_is_there(void **state)
{
	(void)state;
	char text[NEEDLE_LEN + 1];
	needle_make(1, text);
	assert_int_equal(needle_count(1), 0);
	char *on_heap = xmalloc(100000);
	memcpy(on_heap + 70000, text, NEEDLE_LEN);
	assert_int_equal(needle_count(1), 1);
	struct secret in_arena = SECRET_INIT;
	secret_set(&in_arena, text, NEEDLE_LEN);
	assert_int_equal(needle_count(1), 2);
	mem_wipe(on_heap, 100000);
	free(on_heap);
	secret_clear(&in_arena);
	assert_int_equal(needle_count(1), 0);
}

static void cleared_moved_and_replaced_secrets_leave_nothing(void **state)
{
	(void)state;
	char text[NEEDLE_LEN + 1];
	needle_make(2, text);
	struct secret a = SECRET_INIT, b = SECRET_INIT;
	secret_set(&a, text, NEEDLE_LEN);
	secret_move(&b, &a);
	assert_int_equal(needle_count(2), 1);
	secret_copy(&a, &b);
	secret_clear(&b);
	assert_int_equal(needle_count(2), 1);
	secret_set(&a, "short", 5);
	assert_int_equal(needle_count(2), 0);
	secret_clear(&a);
}

static void growing_secret_buffer_holds_one_copy(void **state)
{
	(void)state;
	char text[NEEDLE_LEN + 1];
	needle_make(3, text);
	struct buf buf;
	buf_init_secret(&buf, 1000000);
	buf_add(&buf, text, NEEDLE_LEN);
	for (int i = 0; i < 500000; i++)
		buf_add_char(&buf, '.');
	assert_int_equal(needle_count(3), 1);
	buf_reset(&buf);
	assert_int_equal(needle_count(3), 0);
	buf_add(&buf, text, NEEDLE_LEN);
	buf_clear(&buf);
	assert_int_equal(needle_count(3), 0);
}

static void json_leaves_nothing(void **state)
{
	(void)state;
	char key[NEEDLE_LEN + 1], text[4 * NEEDLE_LEN];
	needle_make(4, key);
	int len =
		snprintf(text, sizeof(text), "{\"a\": {\"SecretAccessKey\": \"\\u0041%s\"}}", key);
	struct err err = ERR_INIT;
	json_t *document = json_read_object(text, (size_t)len, &err);
	assert_non_null(document);
	assert_int_equal(needle_count(4), 1);
	json_decref(document);
	assert_int_equal(needle_count(4), 0);
	assert_null(json_read_object(text, (size_t)len - 1, &err)); /* broken at the end */
	assert_int_equal(needle_count(4), 0);
}

static void xml_leaves_nothing(void **state)
{
	(void)state;
	char key[NEEDLE_LEN + 1], text[8 * NEEDLE_LEN];
	needle_make(5, key);
	int len = snprintf(text, sizeof(text),
		"<R xmlns=\"x\"><C a=\"%s\"><K>%s</K></C><T>&lt;%s</T></R>", key, key, key);
	struct err err = ERR_INIT;
	struct xml_document *document = xml_read(text, (size_t)len, &err);
	assert_non_null(document);
	assert_int_equal(needle_count(5), 2); /* the attribute is not kept */
	xml_free(document);
	assert_int_equal(needle_count(5), 0);
	assert_null(xml_read(text, (size_t)len - 1, &err));
	assert_int_equal(needle_count(5), 0);
}

static int take_entry(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err)
{
	(void)place;
	(void)section;
	(void)err;
	if (key != NULL && strcmp(key, "aws_secret_access_key") == 0)
		secret_set(arg, value, strlen(value));
	return 0;
}

static void ini_file_leaves_nothing(void **state)
{
	(void)state;
	char value[NEEDLE_LEN + 1], text[4 * NEEDLE_LEN], path[] = "/tmp/acmsensor_secret_XXXXXX";
	needle_make(6, value);
	int len = snprintf(text, sizeof(text), "[default]\naws_secret_access_key = %s\n", value);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, (size_t)len), len);
	close(fd);
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	int rc = ini_parse_file(INI_AWS, path, take_entry, &secret, &err);
	unlink(path);
	assert_int_equal(rc, 0);
	assert_string_equal(secret_bytes(&secret), value);
	assert_int_equal(needle_count(6), 1);
	secret_clear(&secret);
	assert_int_equal(needle_count(6), 0);
}

static void openssl_leaves_nothing(void **state)
{
	(void)state;
	char text[NEEDLE_LEN + 1];
	needle_make(7, text);
	BIO *bio = BIO_new(BIO_s_mem());
	for (int i = 0; i < 1000; i++)
		assert_int_equal(BIO_write(bio, text, NEEDLE_LEN), NEEDLE_LEN);
	char *copy = OPENSSL_strdup(text);
	copy = OPENSSL_realloc(copy, 50000);
	assert_int_equal(needle_count(7), 1001);
	BIO_free(bio);
	OPENSSL_free(copy);
	assert_int_equal(needle_count(7), 0);
}

static void libevent_leaves_nothing(void **state)
{
	(void)state;
	char text[NEEDLE_LEN + 1];
	needle_make(8, text);
	struct evbuffer *buffer = evbuffer_new();
	for (int i = 0; i < 1000; i++)
		evbuffer_add(buffer, text, NEEDLE_LEN);
	evbuffer_pullup(buffer, -1);
	assert_true(needle_count(8) >= 1000);
	evbuffer_free(buffer);
	assert_int_equal(needle_count(8), 0);
}

int main(void)
{
	secret_process_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unset_secret_is_empty),
		cmocka_unit_test(every_length_is_kept_with_a_nul_behind_it),
		cmocka_unit_test(value_may_be_set_from_its_own_bytes),
		cmocka_unit_test(copy_and_move),
		cmocka_unit_test(equal_compares_length_and_bytes),
		cmocka_unit_test(
			thousands_of_secrets_live_side_by_side_and_their_memory_is_used_again),
		cmocka_unit_test(threads_never_get_the_same_block),
		cmocka_unit_test(too_large_a_secret_is_a_bug),
		cmocka_unit_test(arena_is_left_out_of_core_dumps),
		cmocka_unit_test(search_finds_what_is_there),
		cmocka_unit_test(cleared_moved_and_replaced_secrets_leave_nothing),
		cmocka_unit_test(growing_secret_buffer_holds_one_copy),
		cmocka_unit_test(json_leaves_nothing),
		cmocka_unit_test(xml_leaves_nothing),
		cmocka_unit_test(ini_file_leaves_nothing),
		cmocka_unit_test(openssl_leaves_nothing),
		cmocka_unit_test(libevent_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
