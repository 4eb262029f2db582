/*
 * sd_notify, which is one datagram to the socket that systemd names in NOTIFY_SOCKET; without it
 * nothing happens. source: sd_notify(3).
 */
#ifndef SENSOR_NOTIFY_H
#define SENSOR_NOTIFY_H

/* state: "READY=1\nSTATUS=...". A failure to send is of no interest to anybody but systemd. */
void notify_send(const char *state);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* RELOADING=1 needs the time with it, since systemd 253. */
void notify_reloading(void);

#endif
