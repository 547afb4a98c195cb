// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
)

// EventName is the name of an event. The set is closed and part of the wire
// contract; the outcome is never part of the name.
type EventName string

// The events.
const (
	// EventTokenIssuance: a token was signed, or signing it failed.
	EventTokenIssuance EventName = "otelaudit.token.issuance"
	// EventTokenValidation: a token was accepted, refused, or could not be checked.
	EventTokenValidation EventName = "otelaudit.token.validation"
	// EventTokenRevocation: a token or a session was revoked.
	EventTokenRevocation EventName = "otelaudit.token.revocation"
	// EventLogin: a user or client authenticated, by any method, or failed to.
	EventLogin EventName = "otelaudit.login"
	// EventLogout: a session was ended.
	EventLogout EventName = "otelaudit.logout"
	// EventAuthorization: a subject was allowed or denied an action on a resource.
	EventAuthorization EventName = "otelaudit.authorization"
	// EventAccess: an API call ended.
	EventAccess EventName = "otelaudit.access"
	// EventJWKSRefresh: signing keys were fetched, and which changed.
	EventJWKSRefresh EventName = "otelaudit.jwks.refresh"
	// EventPipeline: the audit pipeline itself started, stopped or lost events.
	EventPipeline EventName = "otelaudit.pipeline"
)

// EventNames lists every event name, in the order of the registry.
func EventNames() []EventName {
	return []EventName{
		EventTokenIssuance, EventTokenValidation, EventTokenRevocation,
		EventLogin, EventLogout, EventAuthorization, EventAccess,
		EventJWKSRefresh, EventPipeline,
	}
}

// Outcome is how the audited operation ended.
type Outcome string

// The outcomes.
const (
	// OutcomeSuccess: done, accepted or allowed.
	OutcomeSuccess Outcome = "success"
	// OutcomeFailure: refused or denied.
	OutcomeFailure Outcome = "failure"
	// OutcomeError: could not be decided, by a fault on our side.
	OutcomeError Outcome = "error"
)

// ActorType tells what kind of subject acted.
type ActorType string

// The actor types.
const (
	// ActorUser is a person.
	ActorUser ActorType = "user"
	// ActorService is a client acting for itself, such as by the OAuth 2.0
	// client credentials grant (RFC 6749, section 4.4).
	ActorService ActorType = "service"
	// ActorAnonymous is anyone whose identity is not verified.
	ActorAnonymous ActorType = "anonymous"
)

// Event is one thing that happened to a credential. The sources in this package
// (the [Parser], [Auditor.Login], …) build it; adapters and hosts may build their
// own and pass it to [Auditor.Emit]. Sections that are nil do not apply.
//
// An Event holds values as they were seen. Bounding, escaping and masking happen
// when the record is built, so a filter sees the original values: it must not log
// them.
type Event struct {
	// Name is required.
	Name EventName
	// Outcome defaults to what the first of Reasons implies, success if none.
	Outcome Outcome
	// Reasons are the failed checks, the decisive one first: it becomes error.type.
	Reasons []Reason
	// Findings are what is suspicious although it was accepted.
	Findings []Finding
	// Subject is who acted. The zero Subject is taken from the context, and is
	// anonymous if there is none.
	Subject Subject
	// Token describes the credential concerned.
	Token *TokenInfo
	// Request tells where the call came from. Nil means the one that
	// [Auditor.Middleware] put into the context.
	Request *RequestInfo
	// LoginMethod is how the subject authenticated: "password", "passkey", ….
	LoginMethod string
	// Decision is set for authorization events.
	Decision *Decision
	// Keys is set for JWKS refresh events.
	Keys *KeyChange
	// Pipeline is set for pipeline events.
	Pipeline *PipelineState
	// Time defaults to the auditor's clock.
	Time time.Time
	// Attributes are the host's own. Keys must hold an ASCII letter and must not
	// be one of this package's; values whose key names a secret are masked.
	Attributes []attribute.KeyValue
}

// KeyChange is how a key set changed.
type KeyChange struct {
	// Added and Removed are key ids (RFC 7517, section 4.5).
	Added, Removed []string
	// Server is the host the keys came from, without path or query.
	Server string
}

// PipelineState is what the audit pipeline tells about itself.
type PipelineState struct {
	// State is "start", "stop", "gap" or "heartbeat".
	State string
	// Lost is how many events could not be delivered, for a gap.
	Lost int64
	// LostFrom and LostTo are when the first and the last of them were emitted.
	LostFrom, LostTo time.Time
}

// Severity is the OpenTelemetry severity of e: INFO for success and routine
// refusals, WARN for what is suspicious, ERROR for attacks and faults. The gravest
// of the reasons and findings decides.
func (e *Event) Severity() log.Severity {
	class := ClassRoutine
	if e.Outcome == OutcomeError {
		class = ClassFault
	}
	for _, r := range e.Reasons {
		class = max(class, r.Class())
	}
	for _, f := range e.Findings {
		class = max(class, f.Class())
	}
	return class.Severity()
}

// resolve fills in what the host left open.
func (e *Event) resolve() {
	if e.Outcome != "" {
		return
	}
	e.Outcome = OutcomeSuccess
	if len(e.Reasons) > 0 {
		e.Outcome = e.Reasons[0].Outcome()
	}
}

func (e *Event) reason() Reason {
	if len(e.Reasons) == 0 {
		return ""
	}
	return e.Reasons[0]
}

func (n EventName) known() bool {
	for _, k := range EventNames() {
		if n == k {
			return true
		}
	}
	return false
}
