/*
 * What systemd hands to a service as a file in $CREDENTIALS_DIRECTORY (LoadCredential=). A
 * container's secrets, mounted in a folder that the variable names, are found the same way.
 */
#ifndef SENSOR_CREDENTIAL_H
#define SENSOR_CREDENTIAL_H

/*
 * The file to read: the configured one ("": none), else the credential of this name if there is
 * one. Owned; NULL: neither. Whether it can be read is for whoever reads it.
 * source: systemd.exec(5), Credentials
 */
char *credential_file(const char *configured, const char *name);

#endif
