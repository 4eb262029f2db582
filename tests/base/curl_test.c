/* What the users of libcurl share; the rest of it is tested with http and mail. */
#include "base/curl_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

static void it_can_be_begun_twice(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_int_equal(curl_begin(&err), 0);
	assert_int_equal(curl_begin(&err), 0);
	CURL *easy = curl_easy_init();
	curl_set_sockets(easy);
	curl_set_tls(easy, "/nonexistent.pem");
	curl_easy_cleanup(easy);
	curl_end();
	curl_end();
}

static void the_systems_ca_file_can_be_read(void **state)
{
	(void)state;
	if (curl_ca_bundle() != NULL)
		assert_int_equal(access(curl_ca_bundle(), R_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_can_be_begun_twice),
		cmocka_unit_test(the_systems_ca_file_can_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
