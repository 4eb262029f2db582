/* What hosts serve, as a round of handshakes sees it. */
#include "delivery/job_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/x509.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_tls_probe.h"

static int ends, asked;
static const char *key_algorithm; /* of what is to be served; NULL: as it is */

static void on_end(void *arg)
{
	(void)arg;
	ends++;
}

static unsigned char *der_of(const char *pem, size_t *ret_len)
{
	struct err err = ERR_INIT;
	unsigned char *der = NULL;
	assert_int_equal(x509_pem_next(&pem, pem + strlen(pem), &der, ret_len, &err), 1);
	return der;
}

static unsigned char *serve(void *arg, const char *host, int port, size_t *ret_len)
{
	(void)arg;
	asked++;
	if (strcmp(host, "ours.example") == 0 && port == 8443)
		return der_of(world.new_pem, ret_len);
	if (strcmp(host, "other.example") == 0)
		return der_of(world.old_pem, ret_len);
	if (strcmp(host, "rubbish.example") != 0)
		return NULL;
	*ret_len = strlen("rubbish");
	return (unsigned char *)xstrdup("rubbish");
}

static struct job_probe *start(struct probed_host *host, size_t count)
{
	struct x509_facts facts;
	struct err err = ERR_INIT;
	size_t len;
	unsigned char *der = der_of(world.new_pem, &len);
	assert_int_equal(x509_facts_from_der(der, len, &facts, &err), 0);
	fake_tls_probe_set(serve, NULL);
	ends = asked = 0;
	if (key_algorithm != NULL)
		(void)text_copy(facts.key_algorithm, sizeof(facts.key_algorithm), key_algorithm);
	struct job_probe *probe =
		job_probe_start(world.delivery, host, count, &facts, on_end, NULL);
	assert_int_equal(ends, 0);
	x509_facts_clear(&facts);
	free(der);
	return probe;
}

static struct probed_host host_of(const char *text)
{
	return (struct probed_host){.text = (char *)(uintptr_t)text, .outcome = PROBE_NOT_ASKED};
}

static void each_host_gets_what_it_serves(void **state)
{
	(void)state;
	struct probed_host host[] = {host_of("ours.example:8443"), host_of("other.example"),
		host_of("rubbish.example"), host_of("away.example")};
	(void)start(host, 4);
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
	assert_int_equal(host[0].outcome, PROBE_SERVED);
	assert_string_equal(host[0].serial, "0b");
	assert_string_equal(host[0].error, "");
	assert_int_equal(host[1].outcome, PROBE_OTHER);
	assert_string_equal(host[1].serial, "0a");
	assert_int_equal(host[2].outcome, PROBE_OTHER); /* not ours, whatever it is */
	assert_non_null(strstr(host[2].error, "not a certificate"));
	assert_int_equal(host[3].outcome, PROBE_UNREACHABLE);
	assert_string_equal(host[3].error, "connection refused"); /* its name stands before it */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(host[i].at_s, NOW_S);
}

static unsigned char *serve_addresses(void *arg, const char *host, int port, size_t *ret_len)
{
	(void)arg, (void)port;
	asked++;
	if (strcmp(host, "2001:db8::9") == 0)
		return NULL;
	return der_of(strcmp(host, "192.0.2.9") == 0 ? world.old_pem : world.new_pem, ret_len);
}

/* The name is asked first, which answers at the first address. */
static struct probed_host ask_addresses(const char *const *addresses)
{
	struct probed_host host = host_of("many.example");
	fake_tls_probe_set_addresses("many.example", addresses);
	(void)start(&host, 1);
	fake_tls_probe_set(serve_addresses, NULL);
	fake_loop_run_ready();
	fake_tls_probe_set_addresses(NULL, NULL);
	assert_int_equal(ends, 1);
	assert_string_equal(host.text, "many.example");
	assert_int_equal(host.at_s, NOW_S);
	return host;
}

static void every_address_is_asked(void **state)
{
	(void)state;
	struct probed_host host =
		ask_addresses((const char *const[]){"192.0.2.1", "192.0.2.2", "192.0.2.3", NULL});
	assert_int_equal(asked, 3);
	assert_int_equal(host.outcome, PROBE_SERVED);
	assert_string_equal(host.error, "");
	/* One that serves the former is found, behind those that serve ours. */
	host = ask_addresses((const char *const[]){"192.0.2.1", "192.0.2.9", "192.0.2.3", NULL});
	assert_int_equal(asked, 3);
	assert_int_equal(host.outcome, PROBE_OTHER);
	assert_string_equal(host.serial, "0a");
	assert_string_equal(host.error, "at 192.0.2.9; 2 of 3 addresses serve the new one");
}

/* IPv6, where this host has none. */
static void an_address_that_does_not_answer_is_told_and_no_failure(void **state)
{
	(void)state;
	struct probed_host host =
		ask_addresses((const char *const[]){"192.0.2.1", "2001:db8::9", NULL});
	assert_int_equal(host.outcome, PROBE_SERVED);
	assert_string_equal(host.error, "1 of 2 addresses; 2001:db8::9 did not answer");
	host = ask_addresses((const char *const[]){"192.0.2.1", "2001:db8::9", "192.0.2.9", NULL});
	assert_int_equal(host.outcome, PROBE_OTHER);
	assert_string_equal(host.error, "at 192.0.2.9; 1 of 3 addresses serve the new one");
}

static void the_kind_of_key_is_asked_for(void **state)
{
	(void)state;
	static const struct {
		const char *algorithm;
		enum tls_probe_key key;
	} row[] = {{"RSA_2048", TLS_PROBE_RSA}, {"EC_secp384r1", TLS_PROBE_EC},
		{"ED25519", TLS_PROBE_ANY}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct probed_host host = host_of("ours.example:8443");
		key_algorithm = row[i].algorithm;
		(void)start(&host, 1);
		fake_loop_run_ready();
		assert_int_equal(fake_tls_probe_key(), row[i].key);
		assert_int_equal(host.outcome, PROBE_SERVED);
	}
	key_algorithm = NULL;
}

static void who_serves_it_is_not_asked_again(void **state)
{
	(void)state;
	struct probed_host host[] = {host_of("ours.example:8443"), host_of("away.example")};
	host[0].outcome = PROBE_SERVED;
	(void)start(host, 2);
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
	assert_int_equal(asked, 1);
	assert_int_equal(host[0].outcome, PROBE_SERVED);
	host[1].outcome = PROBE_SERVED;
	(void)start(host, 2); /* nobody is asked, and done comes all the same */
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
	assert_int_equal(asked, 0);
}

/* As an order of another version may have it. */
static void what_is_no_host_is_not_reachable(void **state)
{
	(void)state;
	struct probed_host host[] = {host_of("a b"), host_of("a:0")};
	(void)start(host, 2);
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
	assert_int_equal(asked, 0);
	assert_int_equal(host[0].outcome, PROBE_UNREACHABLE);
	assert_non_null(strstr(host[0].error, "the host to verify \""));
	assert_non_null(strstr(host[1].error, "the host to verify \"a:0\": the port"));
}

static void a_cancelled_round_asks_nobody(void **state)
{
	(void)state;
	struct probed_host host[] = {host_of("ours.example:8443"), host_of("a b")};
	job_probe_cancel(start(host, 2));
	job_probe_cancel(start(&host[1], 1));
	job_probe_cancel(NULL);
	fake_loop_run_ready();
	assert_int_equal(ends, 0);
	assert_int_equal(host[0].outcome, PROBE_NOT_ASKED);
}

static void hosts_have_the_port_of_https_or_their_own(void **state)
{
	(void)state;
	char host[64];
	int port = 0;
	struct err err = ERR_INIT;
	assert_int_equal(probe_host_parse("a.example", host, sizeof(host), &port, &err), 0);
	assert_string_equal(host, "a.example");
	assert_int_equal(port, 443);
	assert_int_equal(probe_host_parse("[::1]:8443", host, sizeof(host), &port, &err), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 8443);
	assert_int_equal(probe_host_parse("-x", host, sizeof(host), &port, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_memory_equal(err.text, "the host to verify \"-x\": expected HOST", 38);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(each_host_gets_what_it_serves),
		JOB_TEST(every_address_is_asked),
		JOB_TEST(an_address_that_does_not_answer_is_told_and_no_failure),
		JOB_TEST(the_kind_of_key_is_asked_for),
		JOB_TEST(who_serves_it_is_not_asked_again),
		JOB_TEST(what_is_no_host_is_not_reachable),
		JOB_TEST(a_cancelled_round_asks_nobody),
		cmocka_unit_test(hosts_have_the_port_of_https_or_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
