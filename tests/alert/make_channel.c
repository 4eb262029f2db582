/* See make_channel.h. */
#include "tests/alert/make_channel.h"

struct alert_channel make_channel(char *name, enum channel_type type)
{
	static char none[] = "";
	return (struct alert_channel){.name = name,
		.type = type,
		.minimum = ALERT_NOTICE,
		.url_file = none,
		.proxy = none,
		.no_proxy = none,
		.ca_bundle = none,
		.server = none,
		.user = none,
		.password_file = none,
		.from = none,
		.command = none,
		.timeout_s = 7};
}
