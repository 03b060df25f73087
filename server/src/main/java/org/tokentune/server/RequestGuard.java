package org.tokentune.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.javalin.http.Context;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.MessageDigest;
import java.util.Locale;

/** Decides whether a request is from somebody who may ask. */
final class RequestGuard {

  private static final String BEARER = "Bearer ";

  private final byte[] key;
  private final boolean local;
  private final String host;

  RequestGuard(ServerSettings settings) {
    key = settings.apiKey() == null ? null : settings.apiKey().getBytes(UTF_8);
    host = settings.host().toLowerCase(Locale.ROOT);
    local = isLoopback(settings.host());
  }

  static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /**
   * Checks the key. Without one, a server for this machine alone answers to this machine's names
   * only: a page in a browser could otherwise reach it under a name of its own (DNS rebinding).
   *
   * @throws ApiException if the request may not be answered
   */
  void check(Context context) {
    if (key != null) {
      checkKey(context.header("Authorization"));
    } else if (local && !isThisMachine(context.host())) {
      throw ApiException.refused(
          403,
          "host_not_allowed",
          "The request names the host %.100s, but the server is for localhost alone; set an API key to"
              + " allow other names.",
          context.host());
    }
  }

  private void checkKey(String given) {
    if (given == null) {
      throw ApiException.refused(
          401, "invalid_api_key", "There is no API key; send it as Authorization: Bearer KEY.");
    }
    // whichever characters differ, it takes as long
    if (!given.regionMatches(true, 0, BEARER, 0, BEARER.length())
        || !MessageDigest.isEqual(key, given.substring(BEARER.length()).strip().getBytes(UTF_8))) {
      throw ApiException.refused(401, "invalid_api_key", "The API key is wrong; send another.");
    }
  }

  private boolean isThisMachine(String asked) {
    if (asked == null) { // HTTP/1.0
      return true;
    }
    String name = asked.replaceFirst(":\\d+$", "").toLowerCase(Locale.ROOT);
    return name.equals(host)
        || name.equals("localhost")
        || name.equals("[::1]")
        || name.matches("127\\.\\d+\\.\\d+\\.\\d+");
  }

  /**
   * Checks that the body is said to be JSON: other types can be sent by pages of other servers in a
   * browser, without its asking.
   *
   * @throws ApiException if it is not
   */
  void checkType(Context context) {
    String type = context.contentType() == null ? "" : context.contentType();
    if (!type.split(";", 2)[0].strip().equalsIgnoreCase("application/json")) {
      throw ApiException.refused(
          415,
          "unsupported_media_type",
          "The body must be JSON; send Content-Type: application/json, got %.100s.",
          type.isEmpty() ? "none" : type);
    }
    if (context.header("Content-Encoding") != null) {
      throw ApiException.refused(
          415, "unsupported_encoding", "Compressed bodies are not supported; send it as it is.");
    }
  }
}
