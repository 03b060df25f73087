package org.tokentune.server;

/** Addresses on the server. */
final class Paths {

  static final String COMPLETIONS = "/v1/completions";
  static final String CHAT_COMPLETIONS = "/v1/chat/completions";
  static final String EMBEDDINGS = "/v1/embeddings";
  static final String MODELS = "/v1/models";
  static final String CLASSIFY = "/classify";
  static final String RERANK = "/rerank";
  static final String HEALTH = "/health";
  static final String METRICS = "/metrics";
  static final String PAGE = "/";

  private Paths() {}
}
