"""Certificates for import tests: CAs, leaves, chains and keys, made with python3-cryptography."""
import datetime
import functools
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
KEY_USAGES = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
              "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]


def new_key(kind="ec256"):
    """kind: rsa1024 to rsa4096, ec256, ec384, ec521, ec224, ed25519."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    curves = {"ec256": ec.SECP256R1, "ec384": ec.SECP384R1, "ec521": ec.SECP521R1,
              "ec224": ec.SECP224R1}
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else \
        ec.generate_private_key(curves[kind]())


@functools.lru_cache(maxsize=None)
def kept_key(kind="ec256", number=0):
    """The same key each time: RSA keys are dear."""
    return new_key(kind)


def key_pem(key, form="PKCS8", passphrase=None):
    formats = {"PKCS8": serialization.PrivateFormat.PKCS8,
               "TRADITIONAL": serialization.PrivateFormat.TraditionalOpenSSL}
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else \
        serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, formats[form], how)


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def der_element(tag, content):
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([128 | len(octets)]) + octets) + content


def der_take(octets):
    """(the first element, what is inside of it, the rest)"""
    head, size = 2, octets[1]
    if size & 128:
        head += size & 127
        size = int.from_bytes(octets[2:head], "big")
    return octets[:head + size], octets[head:head + size], octets[head + size:]


def version_1(one, signer):
    """The same as an X.509 certificate of version 1, which no library makes: without a version and
    without extensions. Signed with ECDSA."""
    parts, (_, rest, _) = [], der_take(one.tbs_certificate_bytes)
    while rest:
        whole, _, rest = der_take(rest)
        parts.append(whole)
    serial, algorithm = parts[1:3]
    first = der_element(0x30, serial + algorithm + b"".join(parts[3:7]))
    signature = signer.sign(first, ec.ECDSA(hashes.SHA256()))
    return x509.load_der_x509_certificate(
        der_element(0x30, first + algorithm + der_element(3, b"\0" + signature)))


def der(one):
    return one.public_bytes(serialization.Encoding.DER)


def name(common_name, **more):
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    if more.get("organization"):
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, more["organization"]))
    return x509.Name(parts)


def usages(names):
    given = {usage: usage in names for usage in KEY_USAGES}
    return x509.KeyUsage(**given)


class Bundle:
    """A leaf, its key and its chain."""

    def __init__(self, leaf, key, chain):
        self.leaf, self.key, self.chain = leaf, key, chain

    @property
    def names(self):
        """Of the subject alternative names, as text."""
        try:
            found = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return []
        return [str(one.value) for one in found]

    @property
    def serial(self):
        return f"{self.leaf.serial_number:x}".rjust(2, "0")

    def order(self, **more):
        """Parameters of import_certificate."""
        order = {"Certificate": pem(self.leaf), "PrivateKey": key_pem(self.key)}
        if self.chain:
            order["CertificateChain"] = pem(*self.chain)
        order.update(more)
        return {key: value for key, value in order.items() if value is not None}


class Authority:
    """A root and an intermediate CA of one kind of key."""

    def __init__(self, kind="ec256"):
        self.root_key, self.key = kept_key(kind, "root"), kept_key(kind, "issuing")
        self.root = certificate(self.root_key, name("Test Root " + kind), name("Test Root " + kind),
                                self.root_key, ca=True, days=(-3000, 3000))
        self.issuing = certificate(self.key, name("Test CA " + kind), self.root.subject,
                                   self.root_key, ca=True, days=(-2000, 2000))
        self.chain = [self.issuing, self.root]

    def issue(self, *names, key=None, kind="ec256", number=0, chain=None, **more):
        key = key or kept_key(kind, number)
        more.setdefault("subject", name(names[0] if names else None))
        leaf = certificate(key, more.pop("subject"), more.pop("issuer", self.issuing.subject),
                           self.key, names=names, **more)
        return Bundle(leaf, key, self.chain if chain is None else chain)


def certificate(key, subject, issuer, signer, *, names=(), ca=False, days=(-1, 90),
                key_usage=None, ext_key_usage=None, digest=None, ocsp=None, now=None):
    """key_usage and ext_key_usage: lists; None leaves the extension out."""
    now = now or datetime.datetime.utcnow().replace(microsecond=0)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now + datetime.timedelta(days=days[0]))
               .not_valid_after(now + datetime.timedelta(days=days[1])))
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        key_usage = key_usage or ["key_cert_sign", "crl_sign"]
    alternatives = []
    for one in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(one)))
        except ValueError:
            alternatives.append(x509.DNSName(one))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
    if key_usage:
        builder = builder.add_extension(usages(key_usage), True)
    if ext_key_usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(
            [x509.ObjectIdentifier(u) if isinstance(u, str) else u for u in ext_key_usage]), False)
    if ocsp:
        builder = builder.add_extension(x509.AuthorityInformationAccess([x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))]), False)
    digest = digest or hashes.SHA256()
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else digest)


def self_signed(*names, kind="ec256", number=0, **more):
    key = kept_key(kind, number)
    subject = name(names[0])
    return Bundle(certificate(key, subject, subject, key, names=names, **more), key, [])
