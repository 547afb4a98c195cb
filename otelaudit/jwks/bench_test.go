// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"

	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/jwks"
)

// BenchmarkKeyfuncCtx compares finding the last of 10 keys with keyfunc alone.
func BenchmarkKeyfuncCtx(b *testing.B) {
	var set []jwkset.JWKMarshal
	for i := range 10 {
		set = append(set, newKey(b, fmt.Sprint("key-", i)).JWKMarshal)
	}
	s := newServer(b, set...)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plain, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{s.url()}, keyfunc.Override{Client: s.Client()})
	if err != nil {
		b.Fatal(err)
	}
	audited, err := jwks.New(ctx, audittest.NewRecorder(b).Auditor(), []string{s.url()}, jwks.WithClient(s.Client()))
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name string
		kid  any
	}{{"kid", "key-9"}, {"nokid", nil}} {
		token := header("ES256", bb.kid)
		for _, impl := range []struct {
			name string
			keyfunc.Keyfunc
		}{{"keyfunc", plain}, {"jwks", audited}} {
			b.Run(bb.name+"/"+impl.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := impl.KeyfuncCtx(ctx)(token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("unknown/jwks", func(b *testing.B) {
		token := header("ES256", unknownID)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := audited.KeyfuncCtx(ctx)(token); err == nil {
				b.Fatal("an unknown key id has a key")
			}
		}
	})
}
