package org.tokentune.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The fields of a request. A field that nobody reads is refused when all others were read: it might
 * change the result. A field that is null counts as absent.
 */
final class RequestFields {

  static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final JsonNode json;
  private final String within;
  private final Set<String> read = new HashSet<>();

  private RequestFields(JsonNode json, String within) {
    this.json = json;
    this.within = within;
  }

  /**
   * Reads a request.
   *
   * @throws ApiException if it is no JSON object
   */
  static RequestFields of(byte[] body) {
    JsonNode json;
    try {
      json = JSON.readTree(body);
    } catch (JsonProcessingException e) {
      String line = e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
      throw ApiException.bad(null, "The body is not JSON%s: %s.", line, e.getOriginalMessage());
    } catch (IOException e) {
      throw ApiException.bad(null, "The body is not JSON: %s.", e.getMessage());
    }
    if (json == null || !json.isObject()) {
      throw ApiException.bad(null, "The body must be a JSON object; send one.");
    }
    return new RequestFields(json, "");
  }

  /** The value of a field; null if it is absent. */
  JsonNode value(String name) {
    read.add(name);
    JsonNode value = json.get(name);
    return value == null || value.isNull() ? null : value;
  }

  /** An object within this one; null if it is absent. */
  RequestFields object(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return null;
    }
    return of(value, name(name));
  }

  /** An object that was found within a request. */
  static RequestFields of(JsonNode value, String name) {
    if (!value.isObject()) {
      throw wrong(name, "an object", value);
    }
    return new RequestFields(value, name + ".");
  }

  private String name(String field) {
    return within + field;
  }

  /** A text; null if it is absent. */
  String text(String name) {
    JsonNode value = value(name);
    return value == null ? null : text(value, name(name));
  }

  /** A text that must be there. */
  String requiredText(String name) {
    String text = text(name);
    if (text == null) {
      throw missing(name);
    }
    return text;
  }

  ApiException missing(String name) {
    return ApiException.bad(name(name), "%s is missing; give it.", name(name));
  }

  /**
   * The text of a value.
   *
   * @param name of the value, for messages
   */
  static String text(JsonNode value, String name) {
    if (!value.isTextual()) {
      throw wrong(name, "a text", value);
    }
    String text = value.textValue();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (Character.isSurrogate(c) && !pair) {
        throw ApiException.bad(
            name,
            "%s has half a character (\\u%04x) at position %d; correct it.",
            name,
            (int) c,
            i);
      }
      i += pair ? 1 : 0;
    }
    return text;
  }

  /** The elements of a list, or a single value as a list; null if it is absent. */
  List<JsonNode> elements(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return null;
    }
    List<JsonNode> elements = new ArrayList<>();
    if (value.isArray()) {
      value.forEach(elements::add);
    } else {
      elements.add(value);
    }
    return elements;
  }

  /** A text or several; empty if they are absent. */
  List<String> texts(String name) {
    List<JsonNode> elements = elements(name);
    List<String> texts = new ArrayList<>();
    for (int i = 0; elements != null && i < elements.size(); i++) {
      texts.add(
          text(elements.get(i), elements.size() == 1 ? name(name) : name(name) + "[" + i + "]"));
    }
    return texts;
  }

  /** A whole number; null if it is absent. */
  Integer count(String name, int least, int most) {
    JsonNode value = value(name);
    if (value == null) {
      return null;
    }
    if (!value.isIntegralNumber()) {
      throw wrong(name(name), "a whole number", value);
    }
    if (!value.canConvertToInt() || value.intValue() < least || value.intValue() > most) {
      throw ApiException.bad(
          name(name), "%s must be %d to %d, got %s.", name(name), least, most, shown(value));
    }
    return value.intValue();
  }

  /** A whole number of 64 bits; null if it is absent. */
  Long whole(String name) {
    JsonNode value = value(name);
    if (value == null) {
      return null;
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw wrong(name(name), "a whole number of 64 bits", value);
    }
    return value.longValue();
  }

  /** A number; null if it is absent. */
  Double number(String name, double least, double most) {
    JsonNode value = value(name);
    if (value == null) {
      return null;
    }
    if (!value.isNumber()) {
      throw wrong(name(name), "a number", value);
    }
    double number = value.doubleValue();
    if (!(number >= least && number <= most)) {
      throw ApiException.bad(
          name(name), "%s must be %s to %s, got %s.", name(name), least, most, shown(value));
    }
    return number;
  }

  /** Whether a flag is set; absent ones are not. */
  boolean flag(String name) {
    JsonNode value = value(name);
    if (value != null && !value.isBoolean()) {
      throw wrong(name(name), "true or false", value);
    }
    return value != null && value.booleanValue();
  }

  /** Refuses a field with any value other than one that changes nothing. */
  void mustBe(String name, String... harmless) {
    JsonNode value = value(name);
    if (value == null) {
      return;
    }
    for (String one : harmless) {
      if (one.equals(value.toString())) {
        return;
      }
    }
    throw ApiException.unsupported(
        name(name), "%s is not supported here, got %s; leave it out.", name(name), shown(value));
  }

  /** Fields that do not change the result. */
  void ignore(Collection<String> names) {
    read.addAll(names);
  }

  /**
   * Ends reading.
   *
   * @throws ApiException if there is a field that was not read
   */
  void finish() {
    Set<String> unread = new TreeSet<>();
    json.fieldNames().forEachRemaining(unread::add);
    unread.removeAll(read);
    unread.removeIf(name -> json.get(name).isNull());
    if (!unread.isEmpty()) {
      String first = name(unread.iterator().next());
      throw ApiException.unsupported(
          first,
          "%s is not known here, and might change the result; leave it out.",
          shortened(first));
    }
  }

  private static ApiException wrong(String name, String wanted, JsonNode value) {
    return ApiException.bad(name, "%s must be %s, got %s.", name, wanted, shown(value));
  }

  private static String shown(JsonNode value) {
    return shortened(value.toString());
  }

  /** The beginning of a text, for messages. */
  static String shortened(String text) {
    return text.length() > 60 ? text.substring(0, 60) + "..." : text;
  }
}
