/* Both the list and the store are in order of ARN: one walk along both tells everything. */
#include "discovery/scan_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/coverage.h"

static void free_texts(struct acm_text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
}

void scan_plan_clear(struct scan_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct scan_item *item = &plan->item[i];
		free(item->summary.arn);
		free(item->summary.domain_name);
		free(item->serial);
		cert_copy_clear(&item->built);
		cert_der_clear(&item->leaf);
		free(item->detail);
	}
	free(plan->item);
	free_texts(&plan->gone);
	free_texts(&plan->expired);
	*plan = (struct scan_plan){.item = NULL};
}

int scan_plan_check_arns(const struct scan_plan_input *input, const struct acm_summary_list *list,
	size_t first, struct err *err)
{
	char prefix[128];
	snprintf(prefix, sizeof(prefix), "arn:%s:acm:%s:%s:certificate/", input->partition,
		input->region, input->account_id);
	for (size_t i = first; i < list->count; i++) {
		const char *arn = list->item[i].arn;
		if (strlen(arn) > CERT_ARN_MAX)
			return err_set(err, ERR_LIMIT, "an ARN of more than %d bytes: %.64s...",
				CERT_ARN_MAX, arn);
		if (!text_has_prefix(arn, prefix) || arn[strlen(prefix)] == '\0')
			return err_set(err, ERR_PROTOCOL,
				"ACM listed \"%s\", which does not begin with %s", arn, prefix);
	}
	return 0;
}

/* --- the list in order ------------------------------------------------------------------------ */

/* By ARN, then by place in the list. */
static int compare_listed(const void *a, const void *b)
{
	const struct acm_summary *const *left = a, *const *right = b;
	int order = strcmp((*left)->arn, (*right)->arn);
	if (order != 0)
		return order;
	return *left < *right ? -1 : 1;
}

/* Of certificates that are listed twice the last one. Owned array of pointers into the list. */
static struct acm_summary **sort_listed(struct acm_summary_list *list, size_t *ret_count)
{
	struct acm_summary **listed = xcalloc(list->count + 1, sizeof(struct acm_summary *));
	for (size_t i = 0; i < list->count; i++)
		listed[i] = &list->item[i];
	qsort(listed, list->count, sizeof(struct acm_summary *), compare_listed);
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		bool is_last =
			i + 1 == list->count || strcmp(listed[i]->arn, listed[i + 1]->arn) != 0;
		if (is_last)
			listed[count++] = listed[i];
	}
	*ret_count = count;
	return listed;
}

/* --- the walk --------------------------------------------------------------------------------- */

struct walk {
	const struct scan_plan_input *input;
	struct store_txn *txn;
	struct scan_plan *plan;
	int64_t last_success_s; /* of the place, by this connector; 0: never */
	char position[CERT_ARN_MAX + 1];
	struct cert_record stored; /* the store's next */
	bool has_stored;
};

static void next_stored(struct walk *walk)
{
	const struct scan_plan_input *input = walk->input;
	walk->has_stored = store_cert_next_in_region(walk->txn, input->partition, input->region,
		input->account_id, walk->position, &walk->stored);
}

static void add_text(struct acm_text_list *list, const char *text)
{
	list->item = xgrow(list->item, &list->capacity, list->count, sizeof(*list->item));
	list->item[list->count++] = xstrdup(text);
}

static void add_item(struct walk *walk, struct acm_summary *summary,
	const struct cert_record *stored, enum change change)
{
	struct scan_plan *plan = walk->plan;
	plan->item = xgrow(plan->item, &plan->capacity, plan->count, sizeof(*plan->item));
	struct scan_item *item = &plan->item[plan->count++];
	*item = (struct scan_item){.summary = *summary, .change = change};
	summary->arn = summary->domain_name = NULL; /* moved */
	item->serial = xstrdup(stored != NULL ? stored->serial : "");
	item->not_after_s = stored != NULL ? stored->not_after_s : 0;
}

/* Its end came between the last complete look and this one, and no newer version is listed. */
static bool has_just_expired(const struct walk *walk, const struct acm_summary *summary)
{
	int64_t end_s = walk->stored.not_after_s, now_s = walk->input->now_s;
	return walk->last_success_s != 0 && walk->stored.gone_s == 0 &&
	       end_s > walk->last_success_s && end_s <= now_s && summary->not_after_s <= now_s;
}

static void meet_known(struct walk *walk, struct acm_summary *summary)
{
	const struct scan_plan_input *input = walk->input;
	const struct cert_record *stored = &walk->stored;
	walk->plan->tracked++;
	if (has_just_expired(walk, summary))
		add_text(&walk->plan->expired, summary->arn);
	enum change change = change_decide(summary, stored, input->now_s, input->detail_max_age_s);
	if (change != CHANGE_NONE || strcmp(stored->connector, input->connector) != 0)
		add_item(walk, summary, stored, change);
}

static void meet_new(struct walk *walk, struct acm_summary *summary)
{
	if (!import_policy_admits(walk->input->import, summary, walk->input->now_s))
		return;
	walk->plan->tracked++;
	add_item(walk, summary, NULL, CHANGE_ALL);
}

/* Whether the list would have it if it were still there. */
static bool is_missed(const struct walk *walk)
{
	const struct cert_record *stored = &walk->stored;
	bool is_hidden = walk->input->hides_acme && strcmp(stored->key_pair_origin, "ACME") == 0;
	return stored->gone_s == 0 && !is_hidden;
}

/* Stored ones before arn were not listed (all that are left: NULL). */
static void pass_stored(struct walk *walk, const char *arn)
{
	while (walk->has_stored && (arn == NULL || strcmp(walk->stored.arn, arn) < 0)) {
		if (is_missed(walk))
			add_text(&walk->plan->gone, walk->stored.arn);
		next_stored(walk);
	}
}

static int64_t last_success(const struct scan_plan_input *input, struct store_txn *txn)
{
	struct coverage_record coverage;
	bool is_known = store_coverage_get(
		txn, input->connector, input->account_id, input->region, &coverage);
	return is_known ? coverage.last_success_s : 0;
}

void scan_plan_make(const struct scan_plan_input *input, struct store_txn *txn,
	struct acm_summary_list *list, struct scan_plan *ret_plan)
{
	struct scan_plan plan = {.item = NULL};
	struct walk walk = {.input = input,
		.txn = txn,
		.plan = &plan,
		.last_success_s = last_success(input, txn)};
	size_t count;
	struct acm_summary **listed = sort_listed(list, &count);
	plan.listed = (int64_t)count;
	next_stored(&walk);
	for (size_t i = 0; i < count; i++) {
		pass_stored(&walk, listed[i]->arn);
		bool is_known = walk.has_stored && strcmp(walk.stored.arn, listed[i]->arn) == 0;
		if (is_known) {
			meet_known(&walk, listed[i]);
			next_stored(&walk);
		} else {
			meet_new(&walk, listed[i]);
		}
	}
	pass_stored(&walk, NULL);
	free(listed);
	acm_summary_list_clear(list);
	*ret_plan = plan;
}
