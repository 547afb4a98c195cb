// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package otelaudit emits an OpenTelemetry event for everything that happens to a
// JSON Web Token: issued, accepted, refused and why, revoked, and what was done with it.
//
// # Life of an event
//
// A credential gets a verdict (by a [Parser], [Auditor.RequireToken], or the host
// that calls [Auditor.Login]). The verdict becomes an [Event] with an [Outcome] and,
// unless all went well, one [Reason] of a closed table. [Auditor.Emit] bounds, escapes and masks its
// values, makes one log record of it, mirrors it on the recording span without what
// identifies a person, counts it, and hands the record to the log pipeline.
//
// # Guarantees
//
// The token and error of golang-jwt come back unchanged. A panic of the host's keyfunc or
// handler is recorded and goes on; one in the pipeline is kept from the host. An event that the
// pipeline did not take is counted in otelaudit.events.not_recorded and returned
// as [ErrNotDurable] where the caller can take an error. Each record has a
// log.record.uid, so that one delivered twice can be told.
//
// What becomes of a record after the pipeline took it is the pipeline's promise,
// not this package's. The stock batch processor drops when its queue is full.
//
// # Findings and checks
//
// golang-jwt accepts tokens that RFC 8725 would not: duplicate claims, weak keys, ignored crit parameters, no
// expiry. Each such token is accepted here too, and its event carries a [Finding]. [Parser.With] returns a parser that
// refuses chosen ones ([WithEnforcedFindings]), takes only some types of token ([WithTokenType],
// [WithAccessTokenProfile]), and asks a [Store] about revocation and reuse ([WithStore], [WithSingleUse]). THREATS.md lists every code
// with the attack behind it.
//
// # What is never recorded
//
// Tokens, signatures, passwords, cookies, keys, query strings and the text of the host's
// errors. There is no field for them; what looks like a token, credential or PEM block
// within another value is masked, and the key is listed in otelaudit.redacted. Claims
// of a token whose signature was not verified are never identity, and are not
// recorded unless [WithClaimedIdentity] asks for it.
//
// # Fields and attributes
//
//	Event.Outcome              otelaudit.outcome
//	Event.Reasons              error.type (the first), otelaudit.reasons (all, if several)
//	Event.Findings             otelaudit.findings
//	Event.Subject              otelaudit.actor.type; user.id, or user.hash with a pseudonym key; session.id (digest)
//	Event.Token                otelaudit.token.*
//	Event.LoginMethod          otelaudit.login.method
//	Event.Decision             otelaudit.authorization.*
//	Event.Keys                 otelaudit.jwks.*, server.address
//	Event.Request              client.address, user_agent.original, http.*, url.path, rpc.*
//	Event.Pipeline             otelaudit.pipeline.*
//	Event.Attributes           under their own keys
//	Event.Name, Event.Time     the record's event name and timestamps
//
// The directory registry declares each of them.
//
// # Outcomes and severity
//
// [OutcomeSuccess] is INFO unless there are findings. [OutcomeFailure] is INFO for
// [ClassRoutine], WARN for [ClassSuspicious] and ERROR for [ClassAttack].
// [OutcomeError], a check that could not be made, is ERROR. The gravest reason or finding
// decides; the name of the event never tells the outcome.
//
// # Fail-closed
//
// The OpenTelemetry Logs API returns nothing, so a processor answers by the
// [Receipt] in the context of OnEmit. With [WithFailClosed] an operation whose event
// no processor acknowledged fails. The stock processors do not acknowledge.
package otelaudit
