// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"strings"
)

// isPublicKey recognises public keys, also as the bytes of their PEM or DER form,
// which HMAC takes for a secret.
func isPublicKey(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey, rsa.PublicKey, *ecdsa.PublicKey, ecdsa.PublicKey, ed25519.PublicKey, *ed25519.PublicKey:
		return true
	case []byte:
		if b := bytes.TrimSpace(k); bytes.HasPrefix(b, []byte(pemMarker)) {
			return bytes.Contains(b, []byte("PUBLIC KEY-----")) || bytes.Contains(b, []byte("CERTIFICATE-----"))
		}
		if len(k) > 32 && k[0] == 0x30 { // an ASN.1 SEQUENCE
			return isPublicDER(k)
		}
	}
	return false
}

func isPublicDER(der []byte) bool {
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return true
	}
	_, err := x509.ParseCertificate(der)
	return err == nil
}

// keyFinding is what is wrong with a key for alg (RFC 7518, sections 3.2 to 3.4).
func keyFinding(alg string, key any) Finding {
	switch k := key.(type) {
	case []byte:
		if strings.HasPrefix(alg, "HS") && len(k)*8 < algBits(alg) {
			return FindingWeakHMACKey
		}
	case *rsa.PublicKey:
		if k != nil && k.N != nil && (k.N.BitLen() < 2048 || k.E < 3) {
			return FindingWeakRSAKey
		}
	case *ecdsa.PublicKey:
		if k == nil || k.Curve == nil || !strings.HasPrefix(alg, "ES") {
			return ""
		}
		want := algBits(alg)
		if want == 512 {
			want = 521
		}
		if k.Curve.Params().BitSize != want {
			return FindingCurveMismatch
		}
	}
	return ""
}

// algBits is the number at the end of the name of an algorithm.
func algBits(alg string) int {
	switch {
	case strings.HasSuffix(alg, "256"):
		return 256
	case strings.HasSuffix(alg, "384"):
		return 384
	case strings.HasSuffix(alg, "512"):
		return 512
	default:
		return 0
	}
}

// isZeroSignature reports a signature of zeros, or an ECDSA signature with r or s zero,
// which broken verifiers take for any message (CVE-2022-21449).
func isZeroSignature(alg string, sig []byte) bool {
	if allZero(sig) {
		return true
	}
	half := len(sig) / 2
	return strings.HasPrefix(alg, "ES") && (allZero(sig[:half]) || allZero(sig[half:]))
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
