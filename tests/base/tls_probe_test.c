/* Probes of servers that show a certificate, and of what is no such server. */
#include "base/tls_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "tests/lib/http_fixture.h"
#include "tests/lib/test_ca.h"
#include "tests/lib/test_server.h"

enum { PATIENCE_MS = 20000, SHORT_MS = 150, TURNS_MAX = 200 };
enum { CLOSED_PORT = 1 }; /* nobody listens there, and no program beside gets it by chance */

static struct http_fixture *fixture;
static struct test_ca *ca;

/* --- probes ----------------------------------------------------------------------------------- */

struct probe {
	struct tls_probe *handle;
	int ends;
	unsigned char *der; /* owned; NULL: err */
	size_t len;
	char address[TLS_PROBE_ADDRESS_MAX];
	char other[TLS_PROBE_OTHERS_MAX][TLS_PROBE_ADDRESS_MAX];
	size_t others;
	struct err err;
};

static void on_done(void *arg, const unsigned char *der, size_t len, const struct err *err)
{
	struct probe *probe = arg;
	tls_probe_address(probe->handle, probe->address);
	probe->others = tls_probe_others(probe->handle, probe->other);
	probe->handle = NULL;
	probe->ends++;
	assert_true((der != NULL) != (err != NULL));
	if (err != NULL) {
		probe->err = *err;
		return;
	}
	probe->der = xmalloc(len);
	memcpy(probe->der, der, len);
	probe->len = len;
}

static bool has_ended(void *arg)
{
	const struct probe *probe = arg;
	return probe->ends > 0;
}

static void start(struct probe *probe, const char *host, int port, int timeout_ms)
{
	*probe = (struct probe){.ends = 0};
	probe->handle = tls_probe_start(fixture->loop, fixture->resolve, host, port, NULL,
		TLS_PROBE_ANY, timeout_ms, on_done, probe);
	assert_int_equal(probe->ends, 0); /* never from within start */
}

static enum tls_probe_key key_asked_for; /* by run */

static struct probe run(const char *host, int port, const char *sni, int timeout_ms)
{
	static struct probe probe;
	free(probe.der);
	probe = (struct probe){.ends = 0};
	probe.handle = tls_probe_start(fixture->loop, fixture->resolve, host, port, sni,
		key_asked_for, timeout_ms, on_done, &probe);
	fixture_run_until(fixture, has_ended, &probe);
	struct probe result = probe;
	probe.der = NULL;
	return result;
}

static void assert_fails(struct probe probe, enum err_kind kind, const char *part)
{
	assert_null(probe.der);
	if (probe.err.kind != kind || strstr(probe.err.text, part) == NULL)
		fail_msg("%s: %s", err_kind_name(probe.err.kind), probe.err.text);
}

/* --- a TLS server that can be watched --------------------------------------------------------- */

struct script {
	SSL_CTX *context;
	size_t limit; /* of the bytes that it sends; then it closes */
	/* Of the last connection; to be read when the server has stopped. */
	char name[256]; /* SNI; "" when none came */
	size_t sent, app_bytes;
	bool is_finished, has_goodbye;
};

static bool flush(struct script *script, struct test_conn *conn, BIO *out)
{
	char bytes[4096];
	int len;
	while ((len = BIO_read(out, bytes, sizeof(bytes))) > 0) {
		size_t left = script->limit - script->sent;
		size_t count = (size_t)len < left ? (size_t)len : left;
		if (!test_conn_write(conn, bytes, count))
			return false;
		script->sent += count;
		if (count < (size_t)len)
			return false;
	}
	return true;
}

/* Returns what SSL_accept or SSL_read ended in. */
static int pump(struct script *script, struct test_conn *conn, SSL *ssl, bool is_reading)
{
	for (;;) {
		char byte;
		int rc = is_reading ? SSL_read(ssl, &byte, 1) : SSL_accept(ssl);
		int error = SSL_get_error(ssl, rc);
		if (!flush(script, conn, SSL_get_wbio(ssl)))
			return SSL_ERROR_SYSCALL;
		if (is_reading && rc == 1) {
			script->app_bytes++;
			continue;
		}
		if (error != SSL_ERROR_WANT_READ)
			return rc == 1 ? SSL_ERROR_NONE : error;
		if (!test_conn_read(conn, &byte, 1))
			return SSL_ERROR_SYSCALL;
		BIO_write(SSL_get_rbio(ssl), &byte, 1);
	}
}

static void serve_tls(struct test_conn *conn, void *arg)
{
	struct script *script = arg;
	SSL *ssl = SSL_new(script->context);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
	BIO_set_mem_eof_return(SSL_get_wbio(ssl), -1);
	script->sent = script->app_bytes = 0;
	script->is_finished = pump(script, conn, ssl, false) == SSL_ERROR_NONE;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	snprintf(script->name, sizeof(script->name), "%s", name != NULL ? name : "");
	if (script->is_finished)
		script->has_goodbye = pump(script, conn, ssl, true) == SSL_ERROR_ZERO_RETURN;
	SSL_free(ssl);
}

static struct script script_new(int version)
{
	struct script script = {.context = test_ca_server_context(ca, "tls.test"), .limit = 65536};
	SSL_CTX_set_security_level(script.context, 0);
	SSL_CTX_set_min_proto_version(script.context, version);
	SSL_CTX_set_max_proto_version(script.context, version);
	return script;
}

static struct probe run_script(struct script *script, const char *host, const char *sni)
{
	struct test_server *server = test_server_start(serve_tls, script);
	struct probe probe = run(host, test_server_port(server), sni, PATIENCE_MS);
	test_server_drain(server);
	return probe;
}

static void assert_shows(struct probe probe, const struct script *script)
{
	unsigned char *der = NULL;
	int len = i2d_X509(SSL_CTX_get0_certificate(script->context), &der);
	if (probe.der == NULL)
		fail_msg("%s", probe.err.text);
	assert_int_equal(probe.len, len);
	assert_memory_equal(probe.der, der, probe.len);
	OPENSSL_free(der);
	free(probe.der);
}

/* --- certificates ----------------------------------------------------------------------------- */

static void the_leaf_is_shown_and_nothing_is_sent_after_it(void **state)
{
	(void)state;
	static const int version[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (size_t i = 0; i < 2; i++) {
		struct script script = script_new(version[i]);
		assert_shows(run_script(&script, "tls.test", NULL), &script);
		assert_string_equal(script.name, "tls.test");
		assert_true(script.is_finished);
		assert_true(script.has_goodbye);
		assert_int_equal(script.app_bytes, 0);
		SSL_CTX_free(script.context);
	}
}

static void the_name_asked_for_is_the_hosts_or_another(void **state)
{
	(void)state;
	static const struct {
		const char *host, *sni, *sent;
	} cases[] = {
		{"tls.test", NULL, "tls.test"},
		{"tls.test", "shop.example.com", "shop.example.com"},
		{"127.0.0.1", NULL, ""},
		{"127.0.0.1", "shop.example.com.", "shop.example.com"},
		{"tls.test", "192.0.2.1", ""},
		{"tls.test", "2001:db8::1", ""},
		{"tls.test", "", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script script = script_new(TLS1_3_VERSION);
		assert_shows(run_script(&script, cases[i].host, cases[i].sni), &script);
		assert_string_equal(script.name, cases[i].sent);
		SSL_CTX_free(script.context);
	}
}

static void a_name_that_tls_cannot_ask_for_is_an_error(void **state)
{
	(void)state;
	char name[300];
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	struct script script = script_new(TLS1_3_VERSION);
	assert_fails(run_script(&script, "tls.test", name), ERR_CONFIG, "tls.test:");
	SSL_CTX_free(script.context);
}

static void who_wants_a_client_certificate_has_shown_its_own(void **state)
{
	(void)state;
	static const int version[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (size_t i = 0; i < 2; i++) {
		struct script script = script_new(version[i]);
		SSL_CTX_set_verify(
			script.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		assert_shows(run_script(&script, "tls.test", NULL), &script);
		assert_false(script.is_finished);
		SSL_CTX_free(script.context);
	}
}

/* RSA 1024 signed with SHA-1, TLS 1.2 without forward secrecy. */
static void old_fashioned_servers_are_probed_too(void **state)
{
	(void)state;
	struct script script = {.context = SSL_CTX_new(TLS_server_method()), .limit = 65536};
	EVP_PKEY *key = EVP_RSA_gen(1024);
	X509 *leaf = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(leaf), -7200);
	X509_gmtime_adj(X509_getm_notAfter(leaf), -3600); /* and expired */
	X509_set_pubkey(leaf, key);
	X509_sign(leaf, key, EVP_sha1());
	SSL_CTX_set_security_level(script.context, 0);
	SSL_CTX_set_max_proto_version(script.context, TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_set_cipher_list(script.context, "AES128-SHA"), 1);
	assert_int_equal(SSL_CTX_use_certificate(script.context, leaf), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(script.context, key), 1);
	assert_shows(run_script(&script, "tls.test", NULL), &script);
	X509_free(leaf);
	EVP_PKEY_free(key);
	SSL_CTX_free(script.context);
}

static X509 *use_key(struct script *script, EVP_PKEY *key)
{
	X509 *leaf = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(leaf), -60);
	X509_gmtime_adj(X509_getm_notAfter(leaf), 3600);
	X509_set_pubkey(leaf, key);
	X509_sign(leaf, key, EVP_sha256());
	assert_int_equal(SSL_CTX_use_certificate(script->context, leaf), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(script->context, key), 1);
	return leaf;
}

static void assert_is(struct probe probe, X509 *leaf)
{
	unsigned char *der = NULL;
	int len = i2d_X509(leaf, &der);
	if (probe.der == NULL)
		fail_msg("%s", probe.err.text);
	assert_int_equal(probe.len, len);
	assert_memory_equal(probe.der, der, probe.len);
	OPENSSL_free(der);
	free(probe.der);
}

/* Load balancers hold an RSA and an EC certificate for one name. */
static void the_certificate_of_the_kind_that_is_asked_for_is_shown(void **state)
{
	(void)state;
	static const int version[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
	for (size_t i = 0; i < 2; i++) {
		struct script script = {
			.context = SSL_CTX_new(TLS_server_method()), .limit = 65536};
		SSL_CTX_set_min_proto_version(script.context, version[i]);
		SSL_CTX_set_max_proto_version(script.context, version[i]);
		X509 *of_ec = use_key(&script, ec);
		key_asked_for = TLS_PROBE_RSA; /* which it has not */
		assert_is(run_script(&script, "tls.test", NULL), of_ec);
		assert_true(script.is_finished);
		X509 *of_rsa = use_key(&script, rsa);
		assert_is(run_script(&script, "tls.test", NULL), of_rsa);
		assert_true(script.is_finished);
		key_asked_for = TLS_PROBE_EC;
		assert_is(run_script(&script, "tls.test", NULL), of_ec);
		key_asked_for = TLS_PROBE_ANY;
		X509_free(of_rsa);
		X509_free(of_ec);
		SSL_CTX_free(script.context);
	}
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

static void the_second_address_answers_when_the_first_does_not(void **state)
{
	(void)state;
	struct script script = script_new(TLS1_3_VERSION);
	struct probe probe = run_script(&script, "dual.test", NULL);
	assert_string_equal(probe.address, "127.0.0.1");
	assert_int_equal(probe.others, 0); /* the first was tried */
	assert_shows(probe, &script);
	SSL_CTX_free(script.context);
}

static void the_addresses_behind_the_one_that_answers_are_told(void **state)
{
	(void)state;
	struct script script = script_new(TLS1_3_VERSION);
	struct probe probe = run_script(&script, "many.test", NULL);
	assert_string_equal(probe.address, "127.0.0.1");
	assert_int_equal(probe.others, TLS_PROBE_OTHERS_MAX);
	assert_string_equal(probe.other[0], "::1"); /* as a host, without brackets */
	assert_string_equal(probe.other[1], "127.0.0.3");
	assert_shows(probe, &script);
	SSL_CTX_free(script.context);
	probe = run("127.0.0.1", CLOSED_PORT, NULL, PATIENCE_MS);
	assert_string_equal(probe.address, "");
	assert_int_equal(probe.others, 0);
}

/* --- no certificate --------------------------------------------------------------------------- */

static void a_handshake_cut_anywhere_is_no_answer(void **state)
{
	(void)state;
	static const int version[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (size_t i = 0; i < 2; i++) {
		struct script script = script_new(version[i]);
		SSL_CTX_set_num_tickets(script.context, 0);
		SSL_CTX_set_options(script.context, SSL_OP_NO_TICKET);
		struct test_server *server = test_server_start(serve_tls, &script);
		int port = test_server_port(server), failed = 0;
		struct probe probe = {.ends = 0};
		for (script.limit = 0; probe.der == NULL; script.limit++) {
			assert_true(script.limit < 4096);
			probe = run("127.0.0.1", port, NULL, PATIENCE_MS);
			failed += probe.der == NULL;
			if (probe.der == NULL && probe.err.kind != ERR_UNREACHABLE)
				fail_msg("at %zu: %s", script.limit, probe.err.text);
		}
		assert_in_range(failed, 450, 2048); /* certificate and signature take as much */
		free(probe.der);
		test_server_stop(server);
		SSL_CTX_free(script.context);
	}
}

static void only_older_tls_is_no_handshake(void **state)
{
	(void)state;
	struct script script = script_new(TLS1_1_VERSION);
	assert_fails(run_script(&script, "tls.test", NULL), ERR_PROTOCOL, "no TLS handshake");
	SSL_CTX_free(script.context);
}

enum mood { SPEAKS_HTTP, SPEAKS_SSH, SENDS_ALERT, SILENT, RESETS, CLOSES };

static void serve_mood(struct test_conn *conn, void *arg)
{
	static const unsigned char alert[] = {0x15, 3, 3, 0, 2, 2, 112}; /* unrecognized_name */
	const enum mood *mood = arg;
	char hello[64];
	if (*mood == SPEAKS_SSH)
		test_conn_print(conn, "SSH-2.0-OpenSSH_9.2\r\n");
	else
		test_conn_read(conn, hello, sizeof(hello));
	if (*mood == SPEAKS_HTTP)
		test_conn_print(conn, "HTTP/1.1 400 Bad Request\r\n\r\n");
	if (*mood == SENDS_ALERT)
		test_conn_write(conn, alert, sizeof(alert));
	if (*mood == RESETS)
		test_conn_reset(conn);
	else if (*mood != CLOSES)
		test_conn_wait_closed(conn);
}

static struct probe run_mood(enum mood mood, int timeout_ms)
{
	struct test_server *server = test_server_start(serve_mood, &mood);
	struct probe probe = run("tls.test", test_server_port(server), NULL, timeout_ms);
	test_server_stop(server);
	return probe;
}

static void other_protocols_are_told(void **state)
{
	(void)state;
	assert_fails(run_mood(SPEAKS_HTTP, PATIENCE_MS), ERR_PROTOCOL, "does not speak TLS");
	assert_fails(run_mood(SPEAKS_SSH, PATIENCE_MS), ERR_PROTOCOL, "does not speak TLS");
	assert_fails(run_mood(SENDS_ALERT, PATIENCE_MS), ERR_PROTOCOL, "unrecognized name");
}

static void silence_ends_in_time(void **state)
{
	(void)state;
	assert_fails(run_mood(SILENT, SHORT_MS), ERR_TIMEOUT, "not complete within 150 ms");
}

static void broken_connections_are_told(void **state)
{
	(void)state;
	assert_fails(run_mood(RESETS, PATIENCE_MS), ERR_UNREACHABLE, "in the TLS handshake");
	assert_fails(run_mood(CLOSES, PATIENCE_MS), ERR_UNREACHABLE, "in the TLS handshake");
}

static void a_closed_port_is_unreachable(void **state)
{
	(void)state;
	assert_fails(run("127.0.0.1", CLOSED_PORT, NULL, PATIENCE_MS), ERR_UNREACHABLE,
		"no connection to 127.0.0.1: Connection refused");
	assert_fails(run("::1", CLOSED_PORT, NULL, PATIENCE_MS), ERR_UNREACHABLE,
		"no connection to [::1]");
	assert_fails(run("dual.test", CLOSED_PORT, NULL, PATIENCE_MS), ERR_UNREACHABLE,
		"none of 2 addresses connects");
}

static void a_port_that_does_not_answer_times_out(void **state)
{
	(void)state;
	struct test_full_server *server = test_full_server_start();
	int port = test_full_server_port(server);
	assert_fails(run("127.0.0.1", port, NULL, SHORT_MS), ERR_TIMEOUT, "no connection to");
	assert_fails(run("dual.test", port, NULL, SHORT_MS), ERR_TIMEOUT, "none of 2 addresses");
	test_full_server_stop(server);
}

static void names_that_do_not_resolve_are_told(void **state)
{
	(void)state;
	assert_fails(
		run("missing.test", 443, NULL, PATIENCE_MS), ERR_UNREACHABLE, "missing.test:443: ");
	assert_fails(run("stuck1.test", 443, NULL, SHORT_MS), ERR_TIMEOUT,
		"stuck1.test:443: no address within 150 ms");
}

/* --- cancel ----------------------------------------------------------------------------------- */

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void run_turn(void)
{
	(void)loop_timer_start(fixture->loop, 0, stop_loop, fixture->loop);
	loop_run(fixture->loop);
}

/* Cancels after each number of turns until the probe ends before; returns how many those were. */
static int cancel_after_each_turn(const char *host, int port)
{
	for (int turns = 0; turns < TURNS_MAX; turns++) {
		struct probe probe;
		start(&probe, host, port, PATIENCE_MS);
		for (int i = 0; i < turns && probe.ends == 0; i++)
			run_turn();
		if (probe.ends > 0) {
			free(probe.der);
			return turns;
		}
		tls_probe_cancel(probe.handle);
		run_turn();
		run_turn();
		assert_int_equal(probe.ends, 0);
	}
	return TURNS_MAX;
}

static void cancelled_after_any_turn_it_never_ends(void **state)
{
	(void)state;
	tls_probe_cancel(NULL);
	struct script script = script_new(TLS1_3_VERSION);
	struct test_server *server = test_server_start(serve_tls, &script);
	assert_true(cancel_after_each_turn("tls.test", test_server_port(server)) > 3);
	assert_true(cancel_after_each_turn("missing.test", 443) > 0);
	assert_true(cancel_after_each_turn("dual.test", CLOSED_PORT) > 0);
	test_server_stop(server);
	SSL_CTX_free(script.context);
}

static bool has_connection(void *arg)
{
	return test_server_connections(arg) > 0;
}

static void cancelled_in_each_wait_it_lets_go(void **state)
{
	(void)state;
	struct probe probe;
	start(&probe, "stuck2.test", 443, PATIENCE_MS);
	fixture_run_ms(fixture, 20);
	tls_probe_cancel(probe.handle);
	assert_int_equal(probe.ends, 0);

	struct test_full_server *full = test_full_server_start();
	start(&probe, "127.0.0.1", test_full_server_port(full), PATIENCE_MS);
	fixture_run_ms(fixture, 20);
	tls_probe_cancel(probe.handle);
	assert_int_equal(probe.ends, 0);
	test_full_server_stop(full);

	enum mood mood = SILENT;
	struct test_server *silent = test_server_start(serve_mood, &mood);
	start(&probe, "tls.test", test_server_port(silent), PATIENCE_MS);
	fixture_run_until(fixture, has_connection, silent);
	fixture_run_ms(fixture, 20);
	tls_probe_cancel(probe.handle);
	fixture_run_ms(fixture, 20);
	assert_int_equal(probe.ends, 0);
	test_server_stop(silent);
}

static int set_up(void **state)
{
	(void)state;
	fixture = http_fixture_new(NULL);
	ca = test_ca_new("Test CA");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	http_fixture_free(fixture);
	test_ca_free(ca);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_leaf_is_shown_and_nothing_is_sent_after_it),
		TEST(the_name_asked_for_is_the_hosts_or_another),
		TEST(a_name_that_tls_cannot_ask_for_is_an_error),
		TEST(who_wants_a_client_certificate_has_shown_its_own),
		TEST(old_fashioned_servers_are_probed_too),
		TEST(the_certificate_of_the_kind_that_is_asked_for_is_shown),
		TEST(the_second_address_answers_when_the_first_does_not),
		TEST(the_addresses_behind_the_one_that_answers_are_told),
		TEST(a_handshake_cut_anywhere_is_no_answer),
		TEST(only_older_tls_is_no_handshake),
		TEST(other_protocols_are_told),
		TEST(silence_ends_in_time),
		TEST(broken_connections_are_told),
		TEST(a_closed_port_is_unreachable),
		TEST(a_port_that_does_not_answer_times_out),
		TEST(names_that_do_not_resolve_are_told),
		TEST(cancelled_after_any_turn_it_never_ends),
		TEST(cancelled_in_each_wait_it_lets_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
