// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// RequestInfo is where a call came from and what it asked for. There is no field
// for a query string: credentials travel there.
type RequestInfo struct {
	// ClientAddress is the address of the peer, or of the client that a trusted proxy
	// names; without port.
	ClientAddress string
	// UserAgent is the User-Agent header.
	UserAgent string
	// Method is the HTTP method, Path the path as sent, Route the template that matched.
	Method, Path, Route string
	// StatusCode is the HTTP status of the answer; 0 if there is none yet.
	StatusCode int
	// RPCSystem and RPCMethod are set by adapters for RPC frameworks.
	RPCSystem, RPCMethod string
}

// NewRequestInfo describes r before it is served.
func (a *Auditor) NewRequestInfo(r *http.Request) RequestInfo {
	info := RequestInfo{
		ClientAddress: a.clientAddress(r),
		UserAgent:     r.UserAgent(),
		Method:        r.Method,
	}
	if r.URL != nil {
		info.Path = r.URL.Path
	}
	return info
}

// clientAddress walks X-Forwarded-For from the right, past trusted proxies only:
// what is further left may be the client's own invention.
func (a *Auditor) clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !a.isProxy(peer) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := strings.TrimSpace(hops[i])
		addr, err := netip.ParseAddr(hop)
		if err != nil {
			if ap, err := netip.ParseAddrPort(hop); err == nil {
				addr = ap.Addr()
			} else {
				break
			}
		}
		peer = addr.Unmap()
		if !a.isProxy(peer) {
			break
		}
	}
	return peer.WithZone("").String()
}

func (a *Auditor) isProxy(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, p := range a.proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// route is the template that a ServeMux matched, without the method and host.
func route(r *http.Request) string {
	if i := strings.IndexByte(r.Pattern, '/'); i >= 0 {
		return r.Pattern[i:]
	}
	return ""
}
