// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TokenInfo is what may be known of a token: never its text. Claims are as
// they were sent; they are recorded only if SignatureVerified.
type TokenInfo struct {
	// Fingerprint identifies the token: see [Auditor.Fingerprint].
	Fingerprint string
	// Algorithm, KeyID and Type are the alg, kid and typ header parameters
	// (RFC 7515, section 4.1).
	Algorithm, KeyID, Type string
	// KeyHost is the host that the jku or x5u header parameter points to. It is as the
	// sender wrote it; nothing was fetched from there.
	KeyHost string
	// Issuer, Subject, Audience and ID are the iss, sub, aud and jti claims
	// (RFC 7519, section 4.1).
	Issuer, Subject string
	Audience        []string
	ID              string
	// Scopes are the scope or scp claim.
	Scopes []string
	// IssuedAt and ExpiresAt are the iat and exp claims.
	IssuedAt, ExpiresAt time.Time
	// Size is the length of the token in bytes.
	Size int
	// SignatureVerified tells that a key verified the signature.
	SignatureVerified bool
}

// Parser validates tokens as [jwt.Parser] does, and emits one
// otelaudit.token.validation event for each. It is safe for concurrent use. It does not
// embed the jwt.Parser, so that no call goes unaudited by accident.
type Parser struct {
	auditor     *Auditor
	parser      *jwt.Parser
	expRequired bool
	policy      policy
}

// NewParser returns a parser with the options of [jwt.NewParser]. What it accepts and
// refuses is what that parser does; [Parser.With] adds checks.
func (a *Auditor) NewParser(opts ...jwt.ParserOption) *Parser {
	return &Parser{
		auditor: a, parser: jwt.NewParser(opts...),
		expRequired: requiresExp(opts), policy: policy{maxLifetime: DefaultMaxLifetime},
	}
}

// requiresExp asks a validator, since options cannot be read: it misses one claim more without an
// exp than with one.
func requiresExp(opts []jwt.ParserOption) (required bool) {
	defer func() { _ = recover() }() // the host's clock
	v := jwt.NewValidator(opts...)
	missing := func(c jwt.MapClaims) (n int) {
		for _, leaf := range claimLeaves(v.Validate(c)) {
			if errors.Is(leaf, jwt.ErrTokenRequiredClaimMissing) {
				n++
			}
		}
		return n
	}
	return missing(jwt.MapClaims{}) > missing(jwt.MapClaims{"exp": float64(maxDate)})
}

// Parse is [jwt.Parser.Parse], audited. See [Parser.ParseWithClaims].
func (p *Parser) Parse(ctx context.Context, raw string, keyfunc jwt.Keyfunc) (*jwt.Token, error) {
	return p.ParseWithClaims(ctx, raw, jwt.MapClaims{}, keyfunc)
}

// ParseWithClaims is [jwt.Parser.ParseWithClaims], audited: the token and the
// error are those that it returns, unchanged. Two things only make a token that it accepts
// come back with Valid false: a check of [Parser.With], by a [*RefusalError], and an event that is not
// durable under [WithFailClosed], by an error in whose chain is [ErrNotDurable].
//
// The subject of an accepted token becomes that of the request in ctx, if there
// is one. A panic of keyfunc or claims is recorded and goes on. While keyfunc's keys are tried, the token's
// Method is one of this package; it is put back before ParseWithClaims returns.
func (p *Parser) ParseWithClaims(ctx context.Context, raw string, claims jwt.Claims, keyfunc jwt.Keyfunc) (tok *jwt.Token, err error) {
	start := time.Now()
	at := attempt{raw: raw, user: keyfunc, noClaims: claims == nil, expRequired: p.expRequired}
	if len(raw) > MaxTokenSize && p.policy.enforces(FindingTokenOversize) {
		at.unparsed, at.err = true, &RefusalError{Reasons: []Reason{ReasonTokenOversize}}
		_ = p.validated(ctx, &at, start)
		return nil, at.err
	}
	var wrapped jwt.Keyfunc
	if keyfunc != nil {
		wrapped = at.keyfunc
	}
	returned := false
	defer func() {
		if !returned { // a panic or Goexit of the host passes through
			at.restore()
			at.panicked = true
			_ = p.validated(ctx, &at, start)
		}
	}()
	tok, err = p.parser.ParseWithClaims(raw, claims, wrapped)
	returned = true
	at.restore()
	at.token, at.err = tok, err
	if refused := p.validated(ctx, &at, start); refused != nil && err == nil {
		tok.Valid = false
		return tok, refused
	}
	return tok, err
}

// Parse is [Parser.Parse] with a parser of the default auditor.
func Parse(ctx context.Context, raw string, keyfunc jwt.Keyfunc, opts ...jwt.ParserOption) (*jwt.Token, error) {
	return Default().NewParser(opts...).Parse(ctx, raw, keyfunc)
}

// ParseWithClaims is [Parser.ParseWithClaims] with a parser of the default
// auditor: the audited form of [jwt.ParseWithClaims].
func ParseWithClaims(ctx context.Context, raw string, claims jwt.Claims, keyfunc jwt.Keyfunc, opts ...jwt.ParserOption) (*jwt.Token, error) {
	return Default().NewParser(opts...).ParseWithClaims(ctx, raw, claims, keyfunc)
}

// Fingerprint returns how records name the token raw: 32 hexadecimal digits of
// SHA-256 over its decoded header and claims, or of HMAC-SHA-256 under the pseudonym key.
// Every spelling of a token, and every signature of it, has the same.
func (a *Auditor) Fingerprint(raw string) string { return a.hasher.token(raw, nil) }

// validated checks the policy, emits the event of one attempt, and returns an error if the
// host must not go on.
func (p *Parser) validated(ctx context.Context, at *attempt, start time.Time) error {
	a := p.auditor
	e := Event{Name: EventTokenValidation, Time: a.clock()}
	var refusal *RefusalError
	unjudged := p.judge(at, &e)
	if at.err == nil && !at.panicked {
		refusal = p.policy.check(ctx, a, at, &e, unjudged)
	}
	switch {
	case at.panicked:
		e.Outcome = OutcomeError
	case refusal != nil:
		e.Reasons = refusal.Reasons
	case at.err == nil:
		e.Outcome, e.Reasons = OutcomeSuccess, nil
	}
	if e.Token.SignatureVerified {
		e.Subject = at.subject(e.Token)
	} else {
		e.Subject = Subject{Type: ActorAnonymous}
	}
	if e.Outcome == OutcomeSuccess {
		exchangeFrom(ctx).setSubject(e.Subject)
	}
	lost := a.mustFail(a.emit(ctx, &e, time.Since(start)))
	if refusal != nil {
		return refusal
	}
	return lost
}

// judge fills in what e tells of the token, and returns why it could not, if so. Claims are
// the host's code: one that panics in a getter must not break a validation that succeeded.
func (p *Parser) judge(at *attempt, e *Event) (unjudged Reason) {
	unjudged = ReasonPanic
	defer func() {
		if unjudged == ReasonPanic {
			_ = recover()
			e.Token = &TokenInfo{Size: len(at.raw)}
			e.Reasons = []Reason{ReasonPanic}
		}
	}()
	e.Token = p.auditor.describe(at)
	if at.err == nil && !at.panicked {
		at.judgeDates(e.Time, p.policy.maxLifetime)
	}
	e.Reasons, e.Findings = at.verdict(p.auditor.classifiers)
	if !at.looked { // golang-jwt decoded what this library could not
		return ReasonOther
	}
	return ""
}
