/*
 * The way into one account for a delivery: who the hub is now, then the account's session, the hub
 * itself where it is the hub's account. A flow; what it made lives until account_access_end.
 */
#ifndef SENSOR_ACCOUNT_ACCESS_H
#define SENSOR_ACCOUNT_ACCESS_H

struct account_access;
struct aws_client;
struct config_connector;
struct err;

struct account_access_options {
	struct aws_client *hub;		       /* borrowed until the end */
	const struct config_connector *config; /* borrowed until the end */
	const char *session_name;	       /* borrowed until the end */
	const char *account_id;		       /* copied */
};

/* err: ERR_CREDENTIALS, ERR_ROLE and what calls to STS meet; text names the account. */
typedef void account_access_done_fn(void *arg, const struct err *err);
struct account_access *account_access_start(
	const struct account_access_options *options, account_access_done_fn *done, void *arg);
/* Before done: cancels. After it: calls made with the client must have ended. NULL is fine. */
void account_access_end(struct account_access *access);

/* After a done without err; borrowed until the end. */
struct aws_client *account_access_client(struct account_access *access);
const char *account_access_partition(const struct account_access *access);

#endif
