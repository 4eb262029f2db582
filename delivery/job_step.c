/* Parts of a job's steps that neither wait nor write; see job_internal.h. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/job_internal.h"

/* --- comparing -------------------------------------------------------------------------------- */

/* What is not known is the same as nothing. */
static bool is_same_serial(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && x509_is_same_serial(a, b);
}

enum which { WHICH_OLD, WHICH_NEW, WHICH_OTHER };

static enum which which_serial(const struct job_record *job, const char *serial)
{
	if (is_same_serial(serial, job->new_serial))
		return WHICH_NEW;
	return is_same_serial(serial, job->old_serial) ? WHICH_OLD : WHICH_OTHER;
}

static bool is_hash(const unsigned char *sha256)
{
	static const unsigned char none[CERT_SHA256_LEN];
	return memcmp(sha256, none, sizeof(none)) != 0;
}

/* A serial is unique for one CA only: it counts where the old certificate itself was not seen. */
static enum which which_leaf(const struct job_record *job, const struct x509_facts *facts)
{
	const unsigned char *sha256 = facts->fingerprint_sha256, *old = job->old_fingerprint_sha256;
	if (memcmp(sha256, job->new_fingerprint_sha256, CERT_SHA256_LEN) == 0)
		return WHICH_NEW;
	bool is_old = is_hash(old) ? memcmp(sha256, old, CERT_SHA256_LEN) == 0
				   : is_same_serial(facts->serial, job->old_serial);
	return is_old ? WHICH_OLD : WHICH_OTHER;
}

enum job_holds job_compare(const struct job_record *job, const struct remote_state *remote,
	char ret_serial[X509_SERIAL_HEX_MAX])
{
	ret_serial[0] = '\0';
	if (!remote->exists)
		return JOB_HOLDS_NOTHING;
	enum which told = which_serial(job, remote->detail.serial);
	enum which given = remote->has_facts ? which_leaf(job, &remote->facts) : told;
	if (is_same_serial(job->old_serial, job->new_serial) && told == WHICH_NEW)
		told = given; /* it may mean either */
	bool is_leaf_strange = given == WHICH_OTHER && remote->has_facts;
	text_copy(ret_serial, X509_SERIAL_HEX_MAX,
		is_leaf_strange ? remote->facts.serial : remote->detail.serial);
	if (told == WHICH_OTHER || given == WHICH_OTHER)
		return JOB_HOLDS_OTHER;
	if (told != given)
		return JOB_HOLDS_MIXED;
	return told == WHICH_NEW ? JOB_HOLDS_NEW : JOB_HOLDS_OLD;
}

const char *job_no_way_back(const struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	if (job->kind != JOB_DELIVER)
		return "";
	if (job->arn[0] == '\0' || job->old_serial[0] == '\0')
		return "it was a first import";
	if (job->old_key_id[0] == '\0')
		return "this sensor does not have the previous certificate's private key";
	if (run->goods.old_ends_s != 0 && run->goods.old_ends_s <= clock_now_s())
		return "the previous certificate has expired";
	return run->goods.no_rollback != NULL ? run->goods.no_rollback : "";
}

/* --- keeping ---------------------------------------------------------------------------------- */

/* Adds the certificates of a PEM text; how many, or -1 when it cannot be read or holds too many. */
static int add_kept(struct job_turn *turn, const char *pem, struct err *err)
{
	const char *at = pem, *end = pem + strlen(pem);
	struct kept_der der = {.bytes = NULL};
	int count = 0, rc;
	while ((rc = x509_pem_next(&at, end, &der.bytes, &der.len, err)) == 1) {
		SHA256(der.bytes, der.len, der.sha256);
		turn->kept = xreallocarray(turn->kept, turn->kept_count + 1, sizeof(*turn->kept));
		turn->kept[turn->kept_count++] = der;
		if (++count > CERT_CHAIN_MAX)
			return err_set(err, ERR_LIMIT, "a chain of more than %d certificates",
				CERT_CHAIN_MAX);
	}
	return rc < 0 ? -1 : count;
}

void job_keep(struct job_run *run)
{
	struct job_record *job = &run->job.record;
	struct remote_state *remote = &run->remote;
	struct err err = ERR_INIT;
	struct buf tags;
	buf_init(&tags, 1 << 20);
	struct pack pack = {.count = 0};
	for (size_t i = 0; i < remote->tags.count; i++) {
		pack_add(&tags, remote->tags.item[i].key);
		pack_add(&tags, remote->tags.item[i].value);
		pack.count += 2;
	}
	pack.bytes = tags.data;
	pack.len = tags.len;
	job_copy_set_tags(&run->job, &pack);
	buf_clear(&tags);
	if (!remote->has_facts) {
		job_copy_set(&job->old_key_id, ""); /* a key without its certificate */
		return;
	}
	if (memcmp(remote->facts.fingerprint_sha256, job->new_fingerprint_sha256,
		    CERT_SHA256_LEN) == 0)
		return; /* what is brought is shown already: what it replaces is known */
	if (job->kind == JOB_DELETE)
		job_copy_set(&job->old_serial, remote->facts.serial);
	memcpy(job->old_fingerprint_sha256, remote->facts.fingerprint_sha256, CERT_SHA256_LEN);
	int leafs = add_kept(&run->turn, remote->pem.certificate, &err);
	size_t first = run->turn.kept_count;
	int chain = leafs > 0 ? add_kept(&run->turn, remote->pem.chain, &err) : -1;
	job->old_chain_count = chain > 0 ? (uint32_t)chain : 0;
	if (chain < 0)
		job_copy_set(&job->old_key_id, ""); /* not without its chain */
	for (uint32_t i = 0; i < job->old_chain_count; i++)
		memcpy(job->old_chain_sha256[i], run->turn.kept[first + i].sha256, CERT_SHA256_LEN);
}

/* --- tags and hosts --------------------------------------------------------------------------- */

void job_want_tags(struct job_run *run, struct job_tags *ret_want)
{
	const struct job_tags_input input = {.sensor_name = run->delivery->sensor_name,
		.certificate_id = run->job.record.certificate_id,
		.operator_tags = run->goods.tags,
		.old_tags = run->job.record.old_tags};
	job_tags_want(&input, ret_want);
}

static void append_keys(char *to, size_t size, const struct job_tags *tags, bool was_there)
{
	size_t len = strlen(to);
	for (size_t i = 0; i < tags->count; i++) {
		if (tags->was_there[i] != was_there || len >= size - 1)
			continue;
		snprintf(to + len, size - len, "%s%s", len > 0 ? ", " : "", tags->item[i].key);
		len = strlen(to);
	}
}

void job_note_tags(struct job_run *run, const struct job_tags *added)
{
	struct job_evidence *evidence = &run->evidence;
	append_keys(evidence->tags_added, sizeof(evidence->tags_added), added, false);
	append_keys(evidence->tags_restored, sizeof(evidence->tags_restored), added, true);
}

void job_list_hosts(struct job_run *run)
{
	const struct pack *hosts = &run->goods.hosts;
	for (const char *text = pack_first(hosts); text != NULL && run->hosts < VERIFY_HOSTS_MAX;
		text = pack_next(hosts, text))
		run->host[run->hosts++] = (struct probed_host){.text = xstrdup(text)};
}
