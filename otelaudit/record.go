// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// The attribute keys of this package. registry/ declares each.
const (
	keyOutcome           = attribute.Key("otelaudit.outcome")
	keyReasons           = attribute.Key("otelaudit.reasons")
	keyFindings          = attribute.Key("otelaudit.findings")
	keyActorType         = attribute.Key("otelaudit.actor.type")
	keyFingerprint       = attribute.Key("otelaudit.token.fingerprint")
	keyAlgorithm         = attribute.Key("otelaudit.token.algorithm")
	keyKeyID             = attribute.Key("otelaudit.token.key_id")
	keyKeyHost           = attribute.Key("otelaudit.token.key_host")
	keyTokenType         = attribute.Key("otelaudit.token.type")
	keyIssuer            = attribute.Key("otelaudit.token.issuer")
	keyAudience          = attribute.Key("otelaudit.token.audience")
	keyTokenID           = attribute.Key("otelaudit.token.id")
	keyScopes            = attribute.Key("otelaudit.token.scopes")
	keyIssuedAt          = attribute.Key("otelaudit.token.issued_at")
	keyExpiresAt         = attribute.Key("otelaudit.token.expires_at")
	keySize              = attribute.Key("otelaudit.token.size")
	keySignatureVerified = attribute.Key("otelaudit.token.signature_verified")
	keyClaimedSubject    = attribute.Key("otelaudit.token.claimed.subject")
	keyClaimedIssuer     = attribute.Key("otelaudit.token.claimed.issuer")
	keyLoginMethod       = attribute.Key("otelaudit.login.method")
	keyAction            = attribute.Key("otelaudit.authorization.action")
	keyResource          = attribute.Key("otelaudit.authorization.resource")
	keyPolicy            = attribute.Key("otelaudit.authorization.policy")
	keyEffect            = attribute.Key("otelaudit.authorization.effect")
	keyMissingScopes     = attribute.Key("otelaudit.authorization.missing_scopes")
	keyKeysAdded         = attribute.Key("otelaudit.jwks.keys_added")
	keyKeysRemoved       = attribute.Key("otelaudit.jwks.keys_removed")
	keyPipelineState     = attribute.Key("otelaudit.pipeline.state")
	keyPipelineLost      = attribute.Key("otelaudit.pipeline.lost")
	keyPipelineLostFrom  = attribute.Key("otelaudit.pipeline.lost_from")
	keyPipelineLostTo    = attribute.Key("otelaudit.pipeline.lost_to")
	keyRedacted          = attribute.Key("otelaudit.redacted")

	ownPrefix = "otelaudit."
)

// record is one event on its way to a log.Record and its span event.
type record struct {
	attrs []attribute.KeyValue
	// public are the positions in attrs of what identifies no person.
	public   []int
	redacted []string
	// who, from and about are shown in the body.
	who, from, about string
	uid              string
	buf              [32]attribute.KeyValue
	pub              [32]int
}

// records are reused: the pipeline and the span copy what they keep.
var records = sync.Pool{New: func() any { return new(record) }}

// release gives r back, without the values it held.
func (r *record) release() {
	*r = record{}
	records.Put(r)
}

// add appends an attribute; low tells that it identifies no person.
func (r *record) add(kv attribute.KeyValue, low bool) {
	if low {
		r.public = append(r.public, len(r.attrs))
	}
	r.attrs = append(r.attrs, kv)
}

// text adds a bounded and escaped string, unless it is empty, and returns it.
func (r *record) text(key attribute.Key, v string, limit int, low bool) string {
	if v == "" {
		return ""
	}
	v, masked := clean(v, limit)
	if masked {
		r.redacted = append(r.redacted, string(key))
	}
	r.add(key.String(v), low)
	return v
}

// list adds a bounded list of bounded and escaped strings, unless it is empty.
func (r *record) list(key attribute.Key, vs []string, low bool) {
	if len(vs) == 0 {
		return
	}
	out := make([]string, 0, min(len(vs), maxList+1))
	for i, v := range vs {
		if i == maxList {
			out = append(out, ellipsis)
			break
		}
		v, masked := clean(v, maxID)
		if masked && !contains(r.redacted, string(key)) {
			r.redacted = append(r.redacted, string(key))
		}
		out = append(out, v)
	}
	r.add(key.StringSlice(out), low)
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// build lays e out. The order is that of the questions an analyst asks: which
// record, what came of it, who, which token, from where.
func (a *Auditor) build(ctx context.Context, e *Event, r *record) (problems []error) {
	r.attrs, r.public = r.buf[:0], r.pub[:0]
	r.uid = newUID(e.Time)
	r.add(semconv.LogRecordUIDKey.String(r.uid), true)
	r.add(keyOutcome.String(string(e.Outcome)), true)
	if reason := e.reason(); reason != "" {
		r.add(semconv.ErrorTypeKey.String(string(reason)), true)
		if len(e.Reasons) > 1 {
			r.add(keyReasons.StringSlice(codes(e.Reasons)), true)
		}
	}
	if len(e.Findings) > 0 {
		r.add(keyFindings.StringSlice(codes(e.Findings)), true)
	}
	a.buildSubject(e, r)
	a.buildToken(e, r)
	r.text(keyLoginMethod, e.LoginMethod, maxID, true)
	if d := e.Decision; d != nil {
		r.text(keyAction, d.Action, maxID, true)
		r.about = r.text(keyResource, d.Resource, maxText, false)
		r.text(keyPolicy, d.Policy, maxID, true)
		r.add(keyEffect.String(d.effect()), true)
		r.list(keyMissingScopes, d.MissingScopes, true)
	}
	if k := e.Keys; k != nil {
		r.list(keyKeysAdded, k.Added, true)
		r.list(keyKeysRemoved, k.Removed, true)
		r.about = r.text(semconv.ServerAddressKey, k.Server, maxID, true)
	}
	if p := e.Pipeline; p != nil {
		r.about = r.text(keyPipelineState, p.State, maxID, true)
		if p.Lost > 0 {
			r.add(keyPipelineLost.Int64(p.Lost), true)
			r.time(keyPipelineLostFrom, p.LostFrom)
			r.time(keyPipelineLostTo, p.LostTo)
		}
	}
	a.buildRequest(ctx, e, r)
	problems = r.host(e.Attributes)
	if len(r.redacted) > 0 {
		r.add(keyRedacted.StringSlice(r.redacted), true)
	}
	return problems
}

func codes[T ~string](in []T) []string {
	out := make([]string, 0, min(len(in), maxList))
	for _, v := range in[:min(len(in), maxList)] {
		out = append(out, string(v))
	}
	return out
}

func (a *Auditor) buildSubject(e *Event, r *record) {
	s := &e.Subject
	r.add(keyActorType.String(string(s.actorType())), true)
	if s.ID != "" {
		if a.hasher.keyID != "" {
			r.who = a.hasher.pseudonym(s.ID)
			r.add(semconv.UserHash(r.who), false)
		} else {
			r.who = r.text(semconv.UserIDKey, s.ID, maxID, false)
		}
	}
	if s.SessionID != "" {
		r.add(semconv.SessionID(a.hasher.text(domainSession, s.SessionID)), false)
	}
	if e.Token == nil && s.TokenFingerprint != "" {
		r.text(keyFingerprint, s.TokenFingerprint, maxID, true)
	}
}

// buildToken records the header as it was sent, bounded, and the claims only
// under a verified signature. A refusal carries of the claims those that decide it.
func (a *Auditor) buildToken(e *Event, r *record) {
	t := e.Token
	if t == nil {
		return
	}
	refused := e.Name == EventTokenValidation && e.Outcome != OutcomeSuccess
	r.text(keyFingerprint, t.Fingerprint, maxID, true)
	r.text(keyAlgorithm, t.Algorithm, maxID, true)
	r.text(keyKeyID, t.KeyID, maxID, true)
	r.text(keyKeyHost, t.KeyHost, maxID, true)
	if !strings.EqualFold(t.Type, "JWT") {
		r.text(keyTokenType, t.Type, maxID, true)
	}
	if refused {
		r.add(keySignatureVerified.Bool(t.SignatureVerified), true)
	}
	if !t.SignatureVerified {
		if t.Size > 0 {
			r.add(keySize.Int(t.Size), true)
		}
		if a.claimed {
			r.text(keyClaimedSubject, t.Subject, maxID, false)
			r.text(keyClaimedIssuer, t.Issuer, maxID, false)
		}
		return
	}
	r.text(keyIssuer, t.Issuer, maxID, true)
	if !refused || has(e.Reasons, ReasonAudienceMismatch) {
		r.list(keyAudience, t.Audience, true)
	}
	if !refused {
		r.text(keyTokenID, t.ID, maxID, false)
		r.list(keyScopes, t.Scopes, true)
	}
	if e.Name == EventTokenIssuance || has(e.Reasons, ReasonIssuedInFuture) {
		r.time(keyIssuedAt, t.IssuedAt)
	}
	if !refused || has(e.Reasons, ReasonExpired) {
		r.time(keyExpiresAt, t.ExpiresAt)
	}
}

func has(reasons []Reason, r Reason) bool {
	for _, v := range reasons {
		if v == r {
			return true
		}
	}
	return false
}

// time adds t in seconds since the epoch, as NumericDate (RFC 7519, section 2).
func (r *record) time(key attribute.Key, t time.Time) {
	if !t.IsZero() {
		r.add(key.Int64(t.Unix()), true)
	}
}

func (a *Auditor) buildRequest(ctx context.Context, e *Event, r *record) {
	q := e.Request
	if q == nil {
		x := exchangeFrom(ctx)
		if x == nil {
			return
		}
		q = &x.request
	}
	r.from = r.text(semconv.ClientAddressKey, q.ClientAddress, maxID, false)
	if e.Name != EventAccess && e.Request == nil {
		return
	}
	r.text(semconv.UserAgentOriginalKey, q.UserAgent, maxText, false)
	method := r.text(semconv.HTTPRequestMethodKey, q.Method, maxID, true)
	route := r.text(semconv.HTTPRouteKey, q.Route, maxText, true)
	path := r.text(semconv.URLPathKey, q.Path, maxText, false)
	if q.StatusCode != 0 {
		r.add(semconv.HTTPResponseStatusCode(q.StatusCode), true)
	}
	r.text(semconv.RPCSystemNameKey, q.RPCSystem, maxID, true)
	rpc := r.text(semconv.RPCMethodKey, q.RPCMethod, maxID, true)
	switch {
	case rpc != "":
		r.about = rpc
	case path != "":
		r.about = method + " " + path
	default:
		r.about = method + " " + route
	}
}

// host adds the host's own attributes. One bad key makes a backend refuse a whole
// batch, so those are left out and reported.
func (r *record) host(attrs []attribute.KeyValue) (problems []error) {
	for _, kv := range attrs {
		key, _ := clean(string(kv.Key), maxID)
		if problem := r.checkKey(kv.Key); problem != "" {
			problems = append(problems, &AttributeError{Key: key, Problem: problem})
			continue
		}
		if namesSecret(key) {
			r.redacted = append(r.redacted, key)
			r.add(attribute.String(key, redacted), false)
			continue
		}
		switch kv.Value.Type() {
		case attribute.EMPTY:
			r.add(kv, false)
		case attribute.BOOL, attribute.INT64, attribute.FLOAT64:
			r.add(kv, false)
		case attribute.STRINGSLICE:
			r.list(kv.Key, kv.Value.AsStringSlice(), false)
		default:
			v, masked := clean(kv.Value.String(), maxCustom)
			if masked {
				r.redacted = append(r.redacted, key)
			}
			r.add(attribute.String(key, v), false)
		}
	}
	return problems
}

func (r *record) checkKey(key attribute.Key) string {
	letter := false
	for i := range len(key) {
		c := key[i]
		letter = letter || 'a' <= c|0x20 && c|0x20 <= 'z'
		if c < ' ' || c > '~' {
			return "holds a character that is not printable ASCII"
		}
	}
	switch {
	case key == "":
		return "is empty"
	case !letter:
		return "has no ASCII letter"
	case len(key) > maxID:
		return "is too long"
	case strings.HasPrefix(string(key), ownPrefix):
		return "is reserved for this library"
	}
	for _, kv := range r.attrs {
		if kv.Key == key {
			return "is already set"
		}
	}
	return ""
}

// body is one line for people, unique by the id at its end.
func (r *record) body(e *Event) string {
	b := make([]byte, 0, 160)
	b = append(b, strings.TrimPrefix(string(e.Name), ownPrefix)...)
	b = append(b, ' ')
	b = append(b, e.Outcome...)
	if reason := e.reason(); reason != "" {
		b = append(append(b, ' '), reason...)
	}
	for _, part := range [...]struct{ word, value string }{{" ", r.about}, {" by ", r.who}, {" from ", r.from}} {
		if part.value != "" {
			b = append(append(b, part.word...), part.value...)
		}
	}
	b = append(append(b, " ["...), r.uid...)
	return string(append(b, ']'))
}

// log is the record that the pipeline gets.
func (r *record) log(e *Event) log.Record {
	var out log.Record
	out.SetEventName(string(e.Name))
	out.SetTimestamp(e.Time)
	out.SetObservedTimestamp(e.Time)
	out.SetSeverity(e.Severity())
	out.SetBody(attribute.StringValue(r.body(e)))
	out.AddAttributes(r.attrs...)
	return out
}
