/* What ACM shows against what the job knows, and what is kept of it for the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "delivery/job_internal.h"
#include "tests/lib/read_file.h"

static const struct job_record record = {.id = "j-1",
	.kind = JOB_DELIVER,
	.old_serial = "0a",
	.new_serial = "0b",
	.old_key_id = "p-old",
	.old_fingerprint_sha256 = "old leaf",
	.new_fingerprint_sha256 = "new leaf"};

/* --- comparing --------------------------------------------------------------------------------- */

/* serial: what Describe tells; leaf, leaf_serial: what Get gave, NULL for nothing. */
static void expect_holds(const char *serial, const char *leaf, const char *leaf_serial,
	enum job_holds holds, const char *shown)
{
	struct remote_state remote = {.exists = true, .has_facts = leaf != NULL};
	char told[X509_SERIAL_HEX_MAX];
	text_copy(remote.detail.serial, sizeof(remote.detail.serial), serial);
	if (leaf != NULL) {
		memcpy(remote.facts.fingerprint_sha256, leaf, strlen(leaf));
		text_copy(remote.facts.serial, sizeof(remote.facts.serial), leaf_serial);
	}
	assert_int_equal(job_compare(&record, &remote, told), holds);
	assert_string_equal(told, shown);
}

static void it_is_new_when_describe_and_get_say_so(void **state)
{
	(void)state;
	expect_holds("0b", "new leaf", "0b", JOB_HOLDS_NEW, "0b");
	expect_holds("000B", "new leaf", "0b", JOB_HOLDS_NEW, "000B");
	expect_holds("0b", NULL, NULL, JOB_HOLDS_NEW, "0b"); /* there is no PEM to be had */
	expect_holds("0a", "old leaf", "0a", JOB_HOLDS_OLD, "0a");
	expect_holds("0a", NULL, NULL, JOB_HOLDS_OLD, "0a");
}

/* One of them is late. */
static void two_known_ones_are_mixed(void **state)
{
	(void)state;
	expect_holds("0b", "old leaf", "0a", JOB_HOLDS_MIXED, "0b");
	expect_holds("0a", "new leaf", "0b", JOB_HOLDS_MIXED, "0a");
}

static void a_leaf_of_the_new_serial_is_not_the_new_leaf(void **state)
{
	(void)state;
	expect_holds("0b", "strange leaf", "0b", JOB_HOLDS_OTHER, "0b");
}

static void what_is_neither_is_another_one(void **state)
{
	(void)state;
	expect_holds("0c", "strange leaf", "0c", JOB_HOLDS_OTHER, "0c");
	expect_holds("0b", "strange leaf", "0c", JOB_HOLDS_OTHER, "0c");
	expect_holds("0a", "strange leaf", "0c", JOB_HOLDS_OTHER, "0c");
	expect_holds("0c", "new leaf", "0b", JOB_HOLDS_OTHER, "0c");
	expect_holds("0c", NULL, NULL, JOB_HOLDS_OTHER, "0c");
	expect_holds("", NULL, NULL, JOB_HOLDS_OTHER, "");
	struct remote_state gone = {.exists = false};
	char told[X509_SERIAL_HEX_MAX] = "x";
	assert_int_equal(job_compare(&record, &gone, told), JOB_HOLDS_NOTHING);
	assert_string_equal(told, "");
}

/* A first import has no old serial, and what ACM does not tell is not that one. */
static void an_unknown_serial_is_no_old_one(void **state)
{
	(void)state;
	struct job_record first = record;
	struct remote_state remote = {.exists = true};
	char told[X509_SERIAL_HEX_MAX];
	first.old_serial = "";
	assert_int_equal(job_compare(&first, &remote, told), JOB_HOLDS_OTHER);
}

/* --- keeping ----------------------------------------------------------------------------------- */

static char *read_pem(const char *name)
{
	size_t len;
	return read_data("x509", name, ".pem", &len);
}

static struct x509_facts facts_of(const char *pem)
{
	struct x509_facts facts = {.serial = ""};
	struct err err = ERR_INIT;
	const char *at = pem;
	unsigned char *der;
	size_t len;
	assert_int_equal(x509_pem_next(&at, at + strlen(at), &der, &len, &err), 1);
	assert_int_equal(x509_facts_from_der(der, len, &facts, &err), 0);
	free(der);
	return facts;
}

/* A run that has read what is there: a leaf below an intermediate and a root, with two tags. */
static void make_run(struct job_run *run)
{
	char *middle = read_pem("chain-intermediate"), *root = read_pem("chain-root");
	*run = (struct job_run){.remote.exists = true, .remote.has_facts = true};
	job_copy_make(&record, &run->job);
	run->remote.pem.certificate = read_pem("chain-leaf");
	run->remote.pem.chain = xasprintf("%s%s", middle, root);
	run->remote.facts = facts_of(run->remote.pem.certificate);
	run->remote.tags.count = 2;
	run->remote.tags.item[0] = (struct acm_tag){xstrdup("team"), xstrdup("a")};
	run->remote.tags.item[1] = (struct acm_tag){xstrdup("cost"), xstrdup("")};
	free(middle);
	free(root);
}

static void clear_run(struct job_run *run)
{
	job_turn_clear(&run->turn);
	remote_state_clear(&run->remote);
	job_copy_clear(&run->job);
}

static void leaf_chain_and_tags_are_kept(void **state)
{
	(void)state;
	static struct job_run run;
	make_run(&run);
	job_keep(&run);
	const struct job_record *job = &run.job.record;
	assert_int_equal(run.turn.kept_count, 3);
	assert_memory_equal(
		run.turn.kept[0].sha256, run.remote.facts.fingerprint_sha256, CERT_SHA256_LEN);
	assert_memory_equal(job->old_fingerprint_sha256, run.turn.kept[0].sha256, CERT_SHA256_LEN);
	assert_int_equal(job->old_chain_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(
			job->old_chain_sha256[i], run.turn.kept[1 + i].sha256, CERT_SHA256_LEN);
	assert_string_equal(job->old_key_id, "p-old");
	assert_int_equal(job->old_tags.count, 4);
	assert_int_equal(job->old_tags.len, sizeof("team\0a\0cost\0"));
	assert_memory_equal(job->old_tags.bytes, "team\0a\0cost\0", job->old_tags.len);
	clear_run(&run);
}

/* A key alone brings nothing back. */
static void without_the_certificate_or_its_chain_there_is_no_way_back(void **state)
{
	(void)state;
	static struct job_run run;
	make_run(&run);
	run.remote.has_facts = false;
	job_keep(&run);
	assert_string_equal(run.job.record.old_key_id, "");
	assert_int_equal(run.turn.kept_count, 0);
	assert_int_equal(run.job.record.old_tags.count, 4);
	clear_run(&run);
	make_run(&run);
	char *end = strrchr(run.remote.pem.chain, 'E'); /* of the last END line */
	assert_non_null(end);
	*end = 'x';
	job_keep(&run);
	assert_string_equal(run.job.record.old_key_id, "");
	assert_int_equal(run.job.record.old_chain_count, 0);
	clear_run(&run);
}

/* A rollback that finds its certificate there already: what it replaces is not that. */
static void what_is_brought_is_not_what_is_replaced(void **state)
{
	(void)state;
	static struct job_run run;
	make_run(&run);
	memcpy(run.job.record.new_fingerprint_sha256, run.remote.facts.fingerprint_sha256,
		CERT_SHA256_LEN);
	job_keep(&run);
	assert_int_equal(run.turn.kept_count, 0);
	assert_memory_equal(run.job.record.old_fingerprint_sha256, record.old_fingerprint_sha256,
		CERT_SHA256_LEN);
	assert_string_equal(run.job.record.old_key_id, "p-old");
	clear_run(&run);
}

static void each_reason_why_there_is_no_way_back(void **state)
{
	(void)state;
	static struct job_run run;
	make_run(&run);
	struct job_record *job = &run.job.record;
	job_copy_set(&job->arn, "arn:1");
	assert_string_equal(job_no_way_back(&run), "");
	run.goods.no_rollback = xstrdup("ACM would refuse it");
	assert_string_equal(job_no_way_back(&run), "ACM would refuse it");
	job_copy_set(&job->old_key_id, "");
	assert_string_equal(job_no_way_back(&run),
		"this sensor does not have the previous certificate's private key");
	job_copy_set(&job->old_serial, "");
	assert_string_equal(job_no_way_back(&run), "it was a first import");
	job->kind = JOB_ROLLBACK;
	assert_string_equal(job_no_way_back(&run), "");
	free(run.goods.no_rollback);
	clear_run(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_new_when_describe_and_get_say_so),
		cmocka_unit_test(two_known_ones_are_mixed),
		cmocka_unit_test(a_leaf_of_the_new_serial_is_not_the_new_leaf),
		cmocka_unit_test(what_is_neither_is_another_one),
		cmocka_unit_test(an_unknown_serial_is_no_old_one),
		cmocka_unit_test(leaf_chain_and_tags_are_kept),
		cmocka_unit_test(without_the_certificate_or_its_chain_there_is_no_way_back),
		cmocka_unit_test(what_is_brought_is_not_what_is_replaced),
		cmocka_unit_test(each_reason_why_there_is_no_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
