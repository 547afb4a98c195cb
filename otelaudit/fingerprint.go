// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"sync"
)

// MaxTokenSize is the length in bytes above which a token is called oversize. It is
// twice what common servers take for one header field.
const MaxTokenSize = 16 << 10

// maxDecoded is the length in bytes up to which a token is known by its contents, beyond which by
// its text: none that long gets through a server.
const maxDecoded = 1 << 20

// fingerprintSize is the length of a fingerprint or pseudonym in bytes: 128 bits.
const fingerprintSize = 16

// The domains keep equal strings of different kinds apart.
const (
	domainToken   = 't'
	domainText    = 'x'
	domainUser    = 'u'
	domainSession = 's'
	domainID      = 'i'
	domainAddress = 'a'
	domainAgent   = 'g'
)

// hasher makes fingerprints: SHA-256, or HMAC-SHA-256 if it has a key.
type hasher struct {
	keyID string
	pool  sync.Pool
}

type hashState struct {
	mac hash.Hash
	buf []byte
	sum [sha256.Size]byte
}

func newHasher(keyID string, key Secret) *hasher {
	h := &hasher{keyID: keyID}
	h.pool.New = func() any {
		s := &hashState{buf: make([]byte, 0, 1024)}
		if keyID != "" {
			s.mac = hmac.New(sha256.New, key)
		}
		return s
	}
	return h
}

func (h *hasher) get() *hashState { return h.pool.Get().(*hashState) }

// put wipes what s saw of a token and gives it back.
func (h *hasher) put(s *hashState) {
	clear(s.buf)
	if cap(s.buf) <= 4*MaxTokenSize {
		h.pool.Put(s)
	}
}

// finish hashes s.buf.
func (s *hashState) finish() string {
	sum := s.sum[:0]
	if s.mac == nil {
		s.sum = sha256.Sum256(s.buf)
		sum = s.sum[:]
	} else {
		s.mac.Reset()
		_, _ = s.mac.Write(s.buf)
		sum = s.mac.Sum(sum)
	}
	var text [2 * fingerprintSize]byte
	hex.Encode(text[:], sum[:fingerprintSize])
	return string(text[:])
}

// token fingerprints the decoded header and claims of raw, so that another
// spelling of the same token, or another signature of it, has the same one.
// What does not decode is fingerprinted as text. visit, if not nil, is shown the
// decoded header and claims and must not keep them.
func (h *hasher) token(raw string, visit func(header, claims []byte)) string {
	s := h.get()
	defer h.put(s)
	head, rest, ok := strings.Cut(raw, ".")
	body, _, ok2 := strings.Cut(rest, ".")
	if ok && ok2 && len(raw) <= maxDecoded {
		const prefix = 1 + 8
		s.buf = append(s.buf[:0], domainToken, 0, 0, 0, 0, 0, 0, 0, 0)
		var errHead, errBody error
		s.buf, errHead = base64.RawURLEncoding.AppendDecode(s.buf, trimPadding(head))
		mid := len(s.buf)
		if errHead == nil {
			s.buf, errBody = base64.RawURLEncoding.AppendDecode(s.buf, trimPadding(body))
		}
		if errHead == nil && errBody == nil {
			binary.BigEndian.PutUint64(s.buf[1:], uint64(mid-prefix))
			if visit != nil {
				visit(s.buf[prefix:mid], s.buf[mid:])
			}
			return s.finish()
		}
	}
	s.buf = append(append(s.buf[:0], domainText), raw...)
	return s.finish()
}

// trimPadding lets a token of jwt.WithPaddingAllowed decode to the same bytes, also one with
// line breaks within the padding, which decoders skip. The decoder does not keep its argument.
func trimPadding(seg string) []byte { return []byte(strings.TrimRight(seg, "=\r\n")) }

func (h *hasher) text(domain byte, v string) string {
	s := h.get()
	defer h.put(s)
	s.buf = append(append(s.buf[:0], domain), v...)
	return s.finish()
}

// pseudonym is the user.hash of id.
func (h *hasher) pseudonym(id string) string { return h.keyID + ":" + h.text(domainUser, id) }

// TokenKey names the token in a [Store]: a digest of its issuer and jti (RFC 7519,
// section 4.1.7) if it has one, else its fingerprint. It is keyed if the auditor has a pseudonym key,
// so that processes which share a store need the same key.
func (a *Auditor) TokenKey(t TokenInfo) string {
	if t.ID == "" {
		return "fp:" + t.Fingerprint
	}
	return "id:" + a.hasher.text(domainID, strconv.Itoa(len(t.Issuer))+":"+t.Issuer+t.ID)
}
