/* Stores as older versions wrote them, made of one of this version; store_write_now runs it. */
#ifndef TESTS_STORE_OLD_SCHEMA_H
#define TESTS_STORE_OLD_SCHEMA_H

struct store_txn;

/* The tables of deliveries and alerts are not there; a unit "ou-1" of the connector "prod" is. */
void old_schema_1(struct store_txn *txn, void *arg);
/* The tables of alerts are not there; a plan "plan-1" is. */
void old_schema_2(struct store_txn *txn, void *arg);
/* Three deliveries, "j-1" to "j-3", failed when they may have brought one leaf (hash {1}), "j-2" last;
 * none is found by it. */
void old_schema_3(struct store_txn *txn, void *arg);
#define OLD_SCHEMA_ARN "arn:aws:acm:eu-west-1:000000000001:certificate/1"

#endif
