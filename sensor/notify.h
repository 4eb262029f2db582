/*
 * sd_notify, which is one datagram to the socket that systemd names in NOTIFY_SOCKET; without it
 * nothing happens. source: sd_notify(3).
 */
#ifndef SENSOR_NOTIFY_H
#define SENSOR_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether anybody listens. */
bool notify_is_wanted(void);
/* How often at least systemd wants to hear WATCHDOG=1 from this process; 0: it does not.
 * source: sd_watchdog_enabled(3) */
int64_t notify_watchdog_ms(void);

/* state: "READY=1\nSTATUS=...". A failure to send is of no interest to anybody but systemd. */
void notify_send(const char *state);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* RELOADING=1 needs the time with it, since systemd 253. */
void notify_reloading(void);

#endif
