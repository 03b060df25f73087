package org.tokentune.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.IOException;

/** Bodies of answers. */
final class Answers {

  private Answers() {}

  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  static void json(Context context, int status, JsonNode body) throws IOException {
    context.status(status);
    context.contentType("application/json");
    context.result(RequestFields.JSON.writeValueAsBytes(body));
  }
}
