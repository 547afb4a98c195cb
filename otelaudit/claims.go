// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxDate is the end of the year 9999 in seconds since the epoch: the last date of RFC 3339.
const maxDate = 253402300799

// claimsExtra are claims that jwt.Claims has no getters for, and dates as they were sent.
type claimsExtra struct {
	jti, sid, scope, clientID string
	scp                       []string
	audObject                 bool
	exp, iat                  sentDate
}

// sentDate is a NumericDate (RFC 7519, section 2) before golang-jwt rounds it.
type sentDate struct {
	present bool
	seconds float64
}

// registeredClaims are the claims whose other spellings matter: encoding/json fills struct
// fields whatever the case.
var registeredClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "client_id"}

// claimsVisitor is the attempt as the reader of its token's claims.
type claimsVisitor attempt

// readClaims looks at the decoded claims.
func (at *attempt) readClaims(claims []byte) {
	if string(bytes.TrimSpace(claims)) == "null" {
		at.found.add(FindingMalformedClaims)
	}
	members(claims, &at.found, (*claimsVisitor)(at))
}

func (c *claimsVisitor) member(name, value []byte) {
	x := &c.extra
	switch string(name) {
	case "jti":
		if x.jti = jsonString(value); value[0] != '"' && value[0] != 'n' {
			x.jti = string(value) // no string, but it names the token all the same
		}
	case "sid":
		x.sid = jsonString(value)
	case "scope":
		x.scope = jsonString(value)
	case "client_id":
		x.clientID = jsonString(value)
	case "scp":
		if value[0] == '"' {
			x.scope = jsonString(value)
		} else {
			_ = json.Unmarshal(value, &x.scp)
		}
	case "aud":
		x.audObject = value[0] != '"' && value[0] != '[' && value[0] != 'n'
	case "exp":
		x.exp = c.readDate(value)
	case "iat":
		x.iat = c.readDate(value)
	case "nbf":
		c.readDate(value)
	case "iss", "sub":
	default:
		if isVariant(name, registeredClaims) {
			c.found.add(FindingClaimNameVariant)
		}
	}
}

func (c *claimsVisitor) readDate(value []byte) sentDate {
	if value[0] == '"' {
		c.found.add(FindingClaimType)
		value = value[1 : len(value)-1]
	}
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return sentDate{}
	}
	seconds, err := strconv.ParseFloat(string(value), 64)
	if err != nil && !math.IsInf(seconds, 0) {
		return sentDate{}
	}
	if seconds < 0 || seconds > maxDate {
		c.found.add(FindingClaimOutOfRange)
	}
	return sentDate{true, seconds}
}

// isVariant reports a name that is one of names in another case, which encoding/json takes
// for it.
func isVariant(name []byte, names []string) bool {
	for _, n := range names {
		if len(name) <= 2*len(n) && bytes.EqualFold(name, []byte(n)) {
			return true
		}
	}
	return false
}

// skew is how far the clocks of issuer and service may differ before an iat
// lies in the future.
const skew = time.Minute

// judgeDates looks at the lifetime of an accepted token.
func (at *attempt) judgeDates(now time.Time, maxLifetime time.Duration) {
	exp, iat := at.extra.exp, at.extra.iat
	from := float64(now.Unix())
	if iat.present {
		if iat.seconds > from+skew.Seconds() && iat.seconds <= maxDate {
			at.found.add(FindingIssuedInFuture)
		}
		from = min(from, iat.seconds)
	}
	switch {
	case !exp.present && at.dpop: // such a proof is judged by its iat (RFC 9449, section 4.3)
	case !exp.present:
		at.found.add(FindingExpMissing)
	case exp.seconds == 0:
		at.found.add(FindingExpZero)
	case exp.seconds-from > maxLifetime.Seconds():
		at.found.add(FindingLifetimeExcessive)
	}
}

// describeClaims fills in info from the getters of c and from the extra claims.
func (at *attempt) describeClaims(info *TokenInfo, c jwt.Claims) {
	info.Issuer, _ = c.GetIssuer()
	info.Subject, _ = c.GetSubject()
	info.Audience, _ = c.GetAudience()
	info.IssuedAt = date(c.GetIssuedAt())
	info.ExpiresAt = date(c.GetExpirationTime())
	x := &at.extra
	info.ID = x.jti
	if info.Scopes = x.scp; x.scope != "" {
		info.Scopes = strings.Fields(x.scope)
	}
}

func date(d *jwt.NumericDate, err error) time.Time {
	if err != nil || d == nil {
		return time.Time{}
	}
	return d.Time
}
