/* What of the old certificate speaks against its return. */
#include "delivery/way_back.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/make_facts.h"

enum { NOW_S = 1795219200, DAY_S = 86400 }; /* 2026-11-21T00:00:00Z */

static struct facts_wish usual(const char *serial)
{
	return (struct facts_wish){.serial = serial,
		.names = "www.example.com",
		.key_usage = X509_KU_DIGITAL_SIGNATURE,
		.not_before_s = NOW_S - DAY_S,
		.not_after_s = NOW_S + DAY_S};
}

static void expect(const struct facts_wish *old_wish, const struct facts_wish *fresh_wish,
	enum rule_verdict verdict, const char *why)
{
	struct x509_facts old, fresh;
	char told[WAY_BACK_TEXT_MAX] = "unset";
	make_facts(&old, old_wish);
	make_facts(&fresh, fresh_wish);
	assert_int_equal(way_back_judge(&old, &fresh, NOW_S, told), verdict);
	assert_string_equal(told, why);
	x509_facts_clear(&old);
	x509_facts_clear(&fresh);
}

static void what_could_be_imported_now_can_come_back(void **state)
{
	(void)state;
	struct facts_wish old = usual("01"), fresh = usual("02");
	expect(&old, &fresh, RULE_PASSED, "");
	old.names = fresh.names = NULL;
	expect(&old, &fresh, RULE_UNCONFIRMED, "");
}

static void a_certificate_out_of_its_time_stays_away(void **state)
{
	(void)state;
	struct facts_wish old = usual("01"), fresh = usual("02");
	old.not_after_s = NOW_S;
	expect(&old, &fresh, RULE_BROKEN,
		"the old certificate expired on 2026-11-21T00:00:00Z, and ACM takes no expired "
		"certificate");
	old.not_after_s = NOW_S + 1;
	old.not_before_s = NOW_S;
	expect(&old, &fresh, RULE_PASSED, "");
	old.not_after_s = NOW_S + DAY_S;
	old.not_before_s = NOW_S + 1;
	expect(&old, &fresh, RULE_BROKEN,
		"the old certificate is valid from 2026-11-21T00:00:01Z only, and ACM takes none "
		"before");
}

static void what_was_added_cannot_go_again(void **state)
{
	(void)state;
	struct facts_wish old = usual("01"), fresh = usual("02");
	fresh.key_usage |= X509_KU_KEY_AGREEMENT;
	expect(&old, &fresh, RULE_BROKEN,
		"ACM would refuse the old certificate over the new one: key usages may not go: "
		"KEY_AGREEMENT would");
	fresh.key = "RSA_2048";
	expect(&old, &fresh, RULE_BROKEN,
		"ACM would refuse the old certificate over the new one: key type and size must "
		"stay: RSA_2048 would become EC_prime256v1 (and another rule is broken)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_be_imported_now_can_come_back),
		cmocka_unit_test(a_certificate_out_of_its_time_stays_away),
		cmocka_unit_test(what_was_added_cannot_go_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
