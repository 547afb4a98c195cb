// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Package redisstore is an otelaudit.Store on Redis or Valkey, for services that share
// revocations and first uses between processes.
//
//	client := redis.NewClient(&redis.Options{Addr: "redis:6379", ContextTimeoutEnabled: true})
//	store, err := redisstore.New(client)
//	parser, err := audit.NewParser(…).With(otelaudit.WithStore(store))
//
// # The server
//
// Redis 6 or newer, or Valkey; alone, with Sentinel, or a cluster, since each call is one script on one key.
// It needs maxmemory-policy noeviction: any other may forget a revocation. A user with
// "~otelaudit:* +evalsha +eval +hset +hmget +pttl +pexpire" can do all that this package does. Revocations are
// as durable as the server is configured to be (appendonly), and those of the last moment may be lost with
// a replica that takes over.
//
// A token takes about 250 bytes until it expires: a million tokens of an hour 250 MB. Keys are digests, values
// two digests and a mark; there is no token, address or user in the server.
package redisstore
