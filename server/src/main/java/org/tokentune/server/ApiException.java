package org.tokentune.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Locale;

/** What is wrong with a request, or with the server, in the form of OpenAI's errors. */
final class ApiException extends RuntimeException {

  /** The status of a request whose client did not wait; nginx's, as HTTP has none. */
  static final int GONE = 499;

  private static final String INVALID = "invalid_request_error";
  private static final String SERVER = "server_error";

  private final int status;
  private final String type;
  private final String parameter;
  private final String code;

  private ApiException(int status, String type, String parameter, String code, String message) {
    super(message);
    this.status = status;
    this.type = type;
    this.parameter = parameter;
    this.code = code;
  }

  /**
   * A request that cannot be answered.
   *
   * @param parameter the field that is wrong; null if it is none
   */
  @FormatMethod
  static ApiException bad(String parameter, @FormatString String message, Object... arguments) {
    return new ApiException(400, INVALID, parameter, null, format(message, arguments));
  }

  /** A field that would change the result, and is not supported. */
  @FormatMethod
  static ApiException unsupported(
      String parameter, @FormatString String message, Object... arguments) {
    return new ApiException(
        400, INVALID, parameter, "unsupported_parameter", format(message, arguments));
  }

  /** A request of another kind than can be answered. */
  @FormatMethod
  static ApiException refused(
      int status, String code, @FormatString String message, Object... arguments) {
    return new ApiException(status, INVALID, null, code, format(message, arguments));
  }

  /** A request that would be answered at another time. */
  @FormatMethod
  static ApiException later(
      int status, String code, @FormatString String message, Object... arguments) {
    return new ApiException(status, SERVER, null, code, format(message, arguments));
  }

  /** A request to a model that does not recover from a failure. */
  static ApiException failed(String model) {
    return later(
        503, "model_failed", "%s has failed, as the server's log says; restart it.", model);
  }

  static ApiException gone() {
    return new ApiException(GONE, SERVER, null, "client_gone", "The client has gone.");
  }

  @FormatMethod
  private static String format(String message, Object... arguments) {
    return String.format(Locale.ROOT, message, arguments);
  }

  int status() {
    return status;
  }

  /** Whether the same request may succeed in a moment. */
  boolean mayBeRepeated() {
    return status == 429 || status == 503;
  }

  /** The body of the answer. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.putObject("error")
        .put("message", getMessage())
        .put("type", type)
        .put("param", parameter)
        .put("code", code);
    return json;
  }
}
