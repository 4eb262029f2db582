/*
 * A connector's way to AWS: endpoints, proxy, CA bundle and switches from the configuration, the
 * environment and the profile; where its credentials come from; the client that is the hub.
 */
#ifndef SENSOR_CONNECTOR_NETWORK_H
#define SENSOR_CONNECTOR_NETWORK_H

#include "aws/client.h"
#include "aws/cred.h"

struct config_connector;
struct err;
struct http;
struct loop;

struct connector_network {
	struct aws *aws;	    /* owned */
	struct cred_source *source; /* owned */
	struct aws_client *hub;	    /* owned */
};

/*
 * loop, http   borrowed until connector_network_clear
 * errors       ERR_CONFIG: names the variable, setting or file; nothing is left to clear
 */
int connector_network_init(struct connector_network *network, struct loop *loop, struct http *http,
	const struct config_connector *config, struct err *err);
void connector_network_clear(struct connector_network *network); /* zeroed is fine */

#endif
