package org.tokentune.formats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Fields of a JSON object that a reader does not use, and their effect.
 *
 * @param harmless fields that do not change results
 * @param supported fields that change results unless they have one of these values or null
 */
public record KnownFields(Set<String> harmless, Map<String, List<JsonNode>> supported) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** No known fields. */
  public static final KnownFields NONE = new KnownFields(Set.of(), Map.of());

  public KnownFields {
    harmless = Collections.unmodifiableSet(new TreeSet<>(harmless));
    supported = Collections.unmodifiableMap(new TreeMap<>(supported));
  }

  /** The same, with fields that do not change results. */
  public KnownFields harmless(String... names) {
    Set<String> all = new TreeSet<>(harmless);
    all.addAll(Arrays.asList(names));
    return new KnownFields(all, supported);
  }

  /** The same, with a field that may only have these values or null. */
  public KnownFields mustBe(String name, Object... values) {
    Map<String, List<JsonNode>> all = new TreeMap<>(supported);
    all.put(name, Arrays.stream(values).<JsonNode>map(JSON::valueToTree).toList());
    return new KnownFields(harmless, all);
  }

  /** The union of both. */
  public KnownFields and(KnownFields others) {
    Set<String> allHarmless = new TreeSet<>(harmless);
    allHarmless.addAll(others.harmless);
    Map<String, List<JsonNode>> allSupported = new TreeMap<>(supported);
    allSupported.putAll(others.supported);
    return new KnownFields(allHarmless, allSupported);
  }
}
