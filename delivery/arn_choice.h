/*
 * Which ARN a plan is for: the one that was given, or the one that carries the given certificate
 * id, by what ACM has under each that may. Decides what to read next and what an answer means;
 * reads nothing but the store.
 *
 *   init -> find -> next -(an ARN)-> (its owner reads it) -> take -> next ... -(NULL)-> chosen
 */
#ifndef DELIVERY_ARN_CHOICE_H
#define DELIVERY_ARN_CHOICE_H

#include "delivery/certificate_id.h"
#include "delivery/remote.h"

struct arn_choice {
	char *arn;	      /* owned; as given, then as found; "": none */
	char *certificate_id; /* owned; as given; "": none */
	bool may_reimport;    /* false: a new ARN is made whatever is there */
	bool is_given;	      /* arn was */
	int64_t now_s;

	struct certificate_id_arns carriers;	  /* of the given id; read one after the other */
	size_t looked;				  /* how many of them */
	const struct certificate_id_arn *carrier; /* that is read; NULL: the given ARN */

	char former_arn[CERT_ARN_MAX + 1]; /* carried the id, and is gone; "": none */
	struct remote_state remote;	   /* of arn; only with has_remote */
	bool has_remote;
	bool is_unseen; /* arn is too young to be gone, and ACM does not show it */
};

/* arn, certificate_id: copied, unchecked; NULL and "": not given. */
void arn_choice_init(struct arn_choice *choice, const char *arn, const char *certificate_id,
	bool may_reimport, int64_t now_s);
void arn_choice_clear(struct arn_choice *choice); /* zeroed is fine */

/*
 * What was given must be well formed, and an ARN of at; then looks in the store for those that may
 * carry the id. Too many of them do not hinder a new ARN.
 *
 * at      connector, partition, account_id, region
 * errors  ERR_CONFIG, as certificate_id_check and delivery_check_arn; ERR_LIMIT, ERR_STORE, as
 *         certificate_id_find
 */
int arn_choice_check(
	const struct arn_choice *choice, const struct delivery_target *at, struct err *err);
int arn_choice_find(struct arn_choice *choice, struct store_txn *txn,
	const struct delivery_target *at, struct err *err);

/* The ARN to be read now, borrowed until arn_choice_clear; NULL: it is chosen. */
const char *arn_choice_next(struct arn_choice *choice);

/*
 * What ACM has under the last arn_choice_next.
 *
 * state   its members are taken over and zeroed, or left as they are
 * errors  ERR_CONFIG: two certificates would carry the id; the given ARN carries another one
 */
int arn_choice_take(struct arn_choice *choice, struct remote_state *state, struct err *err);

#endif
