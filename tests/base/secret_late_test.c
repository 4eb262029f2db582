/* secret_process_init after the first use of OpenSSL: the wiping would be missing in silence. */
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/secret.h"
#include "tests/lib/aborts.h"

static void init_after_first_use_aborts(void **state)
{
	(void)state;
	OPENSSL_free(OPENSSL_malloc(1));
	assert_true(aborts(secret_process_init));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(init_after_first_use_aborts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
