// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"context"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// RequireToken returns middleware that lets a request pass if it has a valid
// bearer token (RFC 6750, section 2.1): for services that have no JWT middleware yet. The
// handler finds the token by [TokenFromContext] and its subject by
// [SubjectFromContext]. Refusals are answered 400, 401 or, if the token could not
// be checked, 503, with nothing of the reason but the RFC 6750 code. Tokens longer than
// [MaxTokenSize] are refused unparsed. Events go to the auditor of parser.
func (a *Auditor) RequireToken(parser *Parser, keyfunc jwt.Keyfunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := exchangeFrom(r.Context())
			if x == nil { // no Middleware: the events still tell where the call came from
				x = &exchange{request: a.NewRequestInfo(r)}
				r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
			}
			x.setRoute(route(r))
			raw, reason := bearer(r.Header)
			if reason == "" && len(raw) > MaxTokenSize {
				reason = ReasonTokenOversize
			}
			if reason != "" {
				e := Event{Name: EventTokenValidation, Reasons: []Reason{reason}, Subject: Subject{Type: ActorAnonymous}}
				if raw != "" {
					e.Token = &TokenInfo{Size: len(raw), Fingerprint: a.Fingerprint(raw)}
				}
				answer(w, reason, a.mustFail(a.emit(r.Context(), &e, 0)))
				return
			}
			token, err := parser.ParseWithClaims(r.Context(), raw, jwt.MapClaims{}, keyfunc)
			if err != nil {
				answer(w, x.refused(), parser.auditor.mustFail(err))
				return
			}
			ctx := context.WithValue(r.Context(), tokenKey{}, token)
			if s := x.subject.Load(); s != nil {
				ctx = context.WithValue(ctx, subjectKey{}, *s)
			}
			inner := r.WithContext(ctx)
			defer func() { r.Pattern = inner.Pattern; x.setRoute(route(inner)) }()
			next.ServeHTTP(w, inner)
		})
	}
}

// bearer finds the token. Either it or the reason is empty.
func bearer(h http.Header) (raw string, reason Reason) {
	switch values := h.Values("Authorization"); len(values) {
	case 0:
		return "", ReasonTokenMissing
	case 1:
		scheme, token, _ := strings.Cut(values[0], " ")
		token = strings.TrimSpace(token)
		switch {
		case values[0] == "":
			return "", ReasonTokenMissing
		case !strings.EqualFold(scheme, "Bearer"):
			return "", ReasonSchemeUnsupported
		case token == "":
			return "", ReasonTokenEmpty
		}
		return token, ""
	default:
		return "", ReasonTokenMultiple
	}
}

// answer refuses a request for reason, of which the client sees the RFC 6750 code.
func answer(w http.ResponseWriter, reason Reason, lost error) {
	code := reason.Info().RFC6750
	switch {
	case lost != nil || reason.Outcome() == OutcomeError:
		refuse(w, http.StatusServiceUnavailable, "")
	case code == "":
		refuse(w, http.StatusUnauthorized, "Bearer")
	case code == invalidRequest:
		refuse(w, http.StatusBadRequest, "Bearer error=\"invalid_request\"")
	default:
		refuse(w, http.StatusUnauthorized, "Bearer error=\""+code+"\"")
	}
}

func refuse(w http.ResponseWriter, status int, challenge string) {
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
