package org.tokentune.chat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;

/** What acceptance/chat-idioms.py recorded of Jinja2. */
record Cases(Map<String, Object> variables, List<String> unsupported, List<Case> cases) {

  /** The clock of the recorded texts. */
  static final ChatTemplateSettings SETTINGS =
      ChatTemplateSettings.defaults()
          .withClock(Clock.fixed(Instant.parse("2026-01-02T03:04:05Z"), ZoneOffset.UTC));

  record Case(
      boolean issue, String template, String text, List<List<Integer>> spans, String error) {}

  static Cases read() throws IOException {
    try (InputStream in = Cases.class.getResourceAsStream("/idioms.json")) {
      return new ObjectMapper().readValue(in, Cases.class);
    }
  }
}
