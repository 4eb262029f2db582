/* Which ARN a plan is for; see arn_choice.h. */
#include "delivery/arn_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

void arn_choice_init(struct arn_choice *choice, const char *arn, const char *certificate_id,
	bool may_reimport, int64_t now_s)
{
	*choice = (struct arn_choice){.arn = xstrdup(arn != NULL ? arn : ""),
		.certificate_id = xstrdup(certificate_id != NULL ? certificate_id : ""),
		.may_reimport = may_reimport,
		.now_s = now_s};
	choice->is_given = choice->arn[0] != '\0';
}

void arn_choice_clear(struct arn_choice *choice)
{
	free(choice->arn);
	free(choice->certificate_id);
	remote_state_clear(&choice->remote);
	*choice = (struct arn_choice){.arn = NULL};
}

int arn_choice_check(
	const struct arn_choice *choice, const struct delivery_target *at, struct err *err)
{
	if (certificate_id_check(choice->certificate_id, err) != 0)
		return -1;
	/* One of elsewhere is no plan that refuses but a mistake. */
	return choice->is_given ? delivery_check_arn(at, choice->arn, err) : 0;
}

int arn_choice_find(struct arn_choice *choice, struct store_txn *txn,
	const struct delivery_target *at, struct err *err)
{
	struct err find_err = ERR_INIT;
	if (choice->certificate_id[0] == '\0' ||
		certificate_id_find(
			txn, at, choice->certificate_id, &choice->carriers, &find_err) == 0 ||
		(find_err.kind == ERR_LIMIT && !choice->may_reimport))
		return 0; /* a new ARN needs none of those that are too many */
	*err = find_err;
	return -1;
}

const char *arn_choice_next(struct arn_choice *choice)
{
	choice->carrier = NULL;
	if (choice->is_given && !choice->has_remote)
		return choice->arn;
	while (choice->looked < choice->carriers.count) {
		const struct certificate_id_arn *carrier = &choice->carriers.item[choice->looked++];
		if (strcmp(carrier->arn, choice->arn) == 0)
			continue; /* was given, and read */
		choice->carrier = carrier;
		return carrier->arn;
	}
	return NULL;
}

static void keep_remote(struct arn_choice *choice, struct remote_state *state)
{
	choice->remote = *state;
	*state = (struct remote_state){.exists = false};
	choice->has_remote = true;
}

static int refuse_second(const struct arn_choice *choice, const char *arn, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		"two certificates would carry the id %s, %.200s and %.200s: name the one to "
		"replace by --arn alone, or import a new one with --new-arn",
		choice->certificate_id, choice->arn, arn);
}

/*
 * One more that may carry the id was read. What ACM has is the one, and there may be one only. What
 * it does not have was deleted by others; unless it is so young that it may have yet to show: then
 * nothing is imported anew, for that would make a second certificate.
 */
static int take_carrier(struct arn_choice *choice, struct remote_state *state, struct err *err)
{
	const struct certificate_id_arn *carrier = choice->carrier;
	if (!state->exists && certificate_id_is_gone(carrier, choice->now_s)) {
		text_copy(choice->former_arn, sizeof(choice->former_arn), carrier->arn);
		return 0;
	}
	if (choice->arn[0] != '\0')
		return choice->may_reimport ? refuse_second(choice, carrier->arn, err) : 0;
	if (!state->exists && !choice->may_reimport)
		return 0;
	choice->is_unseen = !state->exists;
	free(choice->arn);
	choice->arn = xstrdup(carrier->arn);
	keep_remote(choice, state);
	return 0;
}

/* The one that was given may be given an id too, but keeps the one that it has. */
static int take_given(struct arn_choice *choice, struct remote_state *state, struct err *err)
{
	keep_remote(choice, state);
	const char *tagged = certificate_id_tagged(&choice->remote);
	if (choice->certificate_id[0] != '\0' && tagged[0] != '\0' && choice->may_reimport &&
		strcmp(tagged, choice->certificate_id) != 0)
		return err_set(err, ERR_CONFIG,
			"%.200s carries the certificate id %.140s, not %s: leave out one of --arn "
			"and --certificate-id",
			choice->arn, tagged, choice->certificate_id);
	return 0;
}

int arn_choice_take(struct arn_choice *choice, struct remote_state *state, struct err *err)
{
	return choice->carrier != NULL ? take_carrier(choice, state, err)
				       : take_given(choice, state, err);
}
