/* A channel as it is when its configuration sets no more than what is needed. */
#ifndef TESTS_ALERT_MAKE_CHANNEL_H
#define TESTS_ALERT_MAKE_CHANNEL_H

#include "alert/channel.h"

/* Texts are "", messages of any class are sent, a timeout of 7 s. name is borrowed; nothing is to
 * be cleared. */
struct alert_channel make_channel(char *name, enum channel_type type);

#endif
