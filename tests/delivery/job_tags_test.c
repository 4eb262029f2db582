#include "delivery/job_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static const char operator_tags[] = "team\0b\0acmsensor:sensor\0mine";
static const char old_tags[] = "team\0a\0cost\0"
			       "7\0aws:x\0y\0acmsensor:sensor\0before";

static void provenance_wins_then_the_operator_then_what_was_there(void **state)
{
	(void)state;
	static struct job_tags want, missing;
	struct acm_tag_list have = {.count = 2};
	have.item[0] = (struct acm_tag){.key = (char *)"cost", .value = (char *)"7"};
	have.item[1] = (struct acm_tag){.key = (char *)"team", .value = (char *)"a"};
	job_tags_want(&(struct job_tags_input){.sensor_name = "sensor1",
			      .certificate_id = "shop",
			      .operator_tags = {operator_tags, sizeof(operator_tags), 4},
			      .old_tags = {old_tags, sizeof(old_tags), 8}},
		&want);
	assert_int_equal(want.count, 5);
	assert_string_equal(want.item[1].value, "sensor1");
	assert_string_equal(want.item[3].value, "b");
	assert_true(want.was_there[4]);
	job_tags_missing(&want, &have, &missing);
	struct buf text;
	buf_init(&text, 1000);
	job_tags_text(&missing, &text);
	assert_string_equal(buf_text(&text),
		"acmsensor:managed-by, acmsensor:sensor, acmsensor:certificate-id, team");
	buf_clear(&text);
	assert_true(job_tags_is_reserved("aws:x") && job_tags_is_reserved("acmsensor:x"));
	assert_true(job_tags_is_reserved("AWS:x") && job_tags_is_reserved("Aws:x"));
	assert_false(job_tags_is_reserved("acmsensor") || job_tags_is_reserved("ACMsensor:x"));
}

/* AWS keeps values at a reimport: another one is somebody's, who came meanwhile. */
static void what_others_changed_meanwhile_is_not_taken_back(void **state)
{
	(void)state;
	static struct job_tags want, missing;
	struct acm_tag_list have = {.count = 2};
	have.item[0] = (struct acm_tag){.key = (char *)"cost", .value = (char *)"8"};
	have.item[1] = (struct acm_tag){.key = (char *)"team", .value = (char *)"c"};
	job_tags_want(&(struct job_tags_input){.sensor_name = "sensor1",
			      .certificate_id = "shop",
			      .operator_tags = {operator_tags, sizeof(operator_tags), 4},
			      .old_tags = {old_tags, sizeof(old_tags), 8}},
		&want);
	job_tags_missing(&want, &have, &missing);
	assert_int_equal(missing.count, 4);
	assert_string_equal(missing.item[3].key, "team"); /* it was asked for */
	have.count = 0;
	job_tags_missing(&want, &have, &missing);
	assert_int_equal(missing.count, 5);
	assert_string_equal(missing.item[4].key, "cost");
	assert_string_equal(missing.item[4].value, "7");
}

/* Ours alone, then as many as ACM takes at once. */
static void tags_are_added_in_parts(void **state)
{
	(void)state;
	static const struct {
		size_t count;
		const char *first;
	} row[] = {{3, "acmsensor:managed-by"}, {50, "key0"}, {50, "key50"}, {7, "key100"}};
	static struct job_tags want, part;
	struct buf old;
	buf_init(&old, 4096);
	for (int i = 0; i < 107; i++)
		buf_addf(&old, "key%d%cv%c", i, '\0', '\0');
	job_tags_want(&(struct job_tags_input){.sensor_name = "s",
			      .certificate_id = "c",
			      .old_tags = {old.data, old.len, 2 * 107}},
		&want);
	assert_int_equal(want.count, 110);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		job_tags_take_part(&want, &part);
		assert_int_equal(part.count, row[i].count);
		assert_string_equal(part.item[0].key, row[i].first);
		assert_int_equal(part.was_there[0], i > 0);
	}
	assert_int_equal(want.count, 0);
	buf_clear(&old);
}

static void no_more_tags_are_wanted_than_acm_keeps(void **state)
{
	(void)state;
	static struct job_tags want;
	struct buf old;
	buf_init(&old, 4096);
	for (int i = 0; i < 2 * JOB_TAGS_MAX; i++) {
		buf_addf(&old, "key%d%cv%c", i, '\0', '\0');
	}
	const struct job_tags_input input = {.sensor_name = "s",
		.certificate_id = "c",
		.old_tags = {old.data, old.len, 4 * JOB_TAGS_MAX}};
	job_tags_want(&input, &want);
	assert_int_equal(want.count, JOB_TAGS_MAX);
	assert_string_equal(want.item[3].key, "key0");
	assert_string_equal(want.item[3].value, "v");
	buf_clear(&old);
}

static void what_aws_takes_in_no_tag_is_found(void **state)
{
	(void)state;
	static const char *const bad[] = {"a,b", "(", "a\033[31m", "a\n", "x#", "\177", "\302\205",
		"\342\202\254", "\342\200\223", "\360\237\232\200", "e\314\201", "\342\200\213",
		"\303"}; /* C1, euro, dash, emoji, accent, nothing, half */
	assert_null(job_tags_misfit(""));
	assert_null(job_tags_misfit("Az09 _.:/=+-@"));
	assert_null(
		job_tags_misfit("Gr\303\266\303\237e/\346\235\261\344\272\254\302\240\302\262"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (job_tags_misfit(bad[i]) == NULL)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_string_equal(job_tags_misfit("a,b,c"), ",b,c");
	assert_string_equal(job_tags_misfit("\303\244\360\237\232\200!"), "\360\237\232\200!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(provenance_wins_then_the_operator_then_what_was_there),
		cmocka_unit_test(what_others_changed_meanwhile_is_not_taken_back),
		cmocka_unit_test(tags_are_added_in_parts),
		cmocka_unit_test(no_more_tags_are_wanted_than_acm_keeps),
		cmocka_unit_test(what_aws_takes_in_no_tag_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
