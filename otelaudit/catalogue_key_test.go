// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// catalogueKey is one verification key: a secret in hexadecimal, or the PEM of a public key.
type catalogueKey struct {
	Secret *string `json:"secret_hex,omitempty"`
	Public string  `json:"public_pem,omitempty"`
}

func (k catalogueKey) verification(t *testing.T) jwt.VerificationKey {
	t.Helper()
	if k.Secret != nil {
		secret, err := hex.DecodeString(*k.Secret)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	block, _ := pem.Decode([]byte(k.Public))
	if block == nil {
		t.Fatalf("no PEM block in %q", k.Public)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newCatalogueKey(t *testing.T, key any) catalogueKey {
	t.Helper()
	if secret, ok := key.([]byte); ok {
		text := hex.EncodeToString(secret)
		return catalogueKey{Secret: &text}
	}
	return catalogueKey{Public: string(publicPEM(t, key))}
}

func publicPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// scenarioKeys are the private keys of the scenarios, new in each run.
var scenarioKeys = sync.OnceValue(func() map[string]any {
	must := func(key any, err error) any {
		if err != nil {
			panic(err)
		}
		return key
	}
	rs := must(rsa.GenerateKey(rand.Reader, 2048))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	return map[string]any{
		"hmac": []byte("scenario-key-of-64-bytes-or-more-so-that-every-HS-algorithm-fits!"), "other": []byte("another-key-of-32-bytes-or-more-!"),
		"short": []byte("secret"), "empty": []byte{},
		"rsa": rs, "rsa1024": must(rsa.GenerateKey(rand.Reader, 1024)),
		"ec256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), "ec256b": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ec384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), "ed": must(ed, err),
	}
})

// signingKey is the private key called name. A name with the suffix -pem or -der is that form of the public
// key, as an HMAC secret.
func signingKey(t *testing.T, name string) any {
	t.Helper()
	if base, ok := strings.CutSuffix(name, "-pem"); ok {
		return publicPEM(t, public(t, base))
	}
	if base, ok := strings.CutSuffix(name, "-der"); ok {
		block, _ := pem.Decode(publicPEM(t, public(t, base)))
		return block.Bytes
	}
	key, ok := scenarioKeys()[name]
	if !ok {
		t.Fatalf("no key %q", name)
	}
	return key
}

// public is what verifies signatures of the key called name, or a key in the form that an RFC
// prints it: hmac:K, rsa:N, ec:X,Y, ed:X in base64url.
func public(t *testing.T, name string) any {
	t.Helper()
	kind, text, ok := strings.Cut(name, ":")
	if !ok {
		if signer, ok := signingKey(t, name).(crypto.Signer); ok {
			return signer.Public()
		}
		return signingKey(t, name)
	}
	var parts [][]byte
	for _, p := range strings.Split(text, ",") {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b)
	}
	switch kind {
	case "hmac":
		return parts[0]
	case "rsa":
		return &rsa.PublicKey{N: new(big.Int).SetBytes(parts[0]), E: 65537}
	case "ed":
		return ed25519.PublicKey(parts[0])
	default:
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, parts[0]...), parts[1]...))
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
}

// signScenario signs text as alg says. Unlike golang-jwt it signs ES384 and ES512 with any curve.
func signScenario(t *testing.T, alg, text string, key any) []byte {
	t.Helper()
	method := jwt.GetSigningMethod(alg)
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		m, ok := method.(*jwt.SigningMethodECDSA)
		if !ok {
			t.Fatalf("%s with an EC key", alg)
		}
		h := m.Hash.New()
		_, _ = h.Write([]byte(text))
		r, s, err := ecdsa.Sign(rand.Reader, ec, h.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 2*m.KeySize)
		r.FillBytes(out[:m.KeySize])
		s.FillBytes(out[m.KeySize:])
		return out
	}
	if method == nil {
		method = jwt.SigningMethodHS256
	}
	sig, err := method.Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}
