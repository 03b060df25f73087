package org.tokentune.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * A damaged file.
 *
 * @param what was changed
 * @param visible whether a reader must notice it: it rejects the file, or returns the original
 *     result
 */
public record Mutation(String what, byte[] bytes, boolean visible) {

  /** Makes a damaged file from a valid one. */
  public interface Maker {
    Mutation make(byte[] valid, Random random);
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** Numbers that are not valid sizes, or that overflow. */
  private static final long[] NUMBERS = {
    -1, 0, 1, 127, 1 << 16, Integer.MAX_VALUE, 1L << 31, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE,
  };

  private static final int DEEP = 2_000;
  private static final int LONG = 100_000;

  /** Damages a file that stores its own lengths; truncation must be noticed, too. */
  public static Mutation binary(byte[] valid, Random random) {
    return random.nextInt(4) == 0
        ? new Mutation("cut", Arrays.copyOf(valid, random.nextInt(valid.length)), true)
        : bytes(valid, random);
  }

  /** Damages any file. */
  public static Mutation bytes(byte[] valid, Random random) {
    if (valid.length == 0) {
      return new Mutation("one byte", new byte[] {(byte) random.nextInt()}, false);
    }
    int at = random.nextInt(valid.length);
    int count = 1 + random.nextInt(Math.min(64, valid.length - at));
    byte[] bytes = valid.clone();
    switch (random.nextInt(8)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt();
      case 2 -> put(bytes, at, Integer.BYTES, random);
      case 3 -> put(bytes, at, Long.BYTES, random);
      case 4 -> Arrays.fill(bytes, at, at + count, (byte) (random.nextBoolean() ? 0 : 0xFF));
      case 5 -> bytes = spliced(valid, at, at + count, new byte[0]);
      case 6 -> bytes = spliced(valid, at, at, Arrays.copyOfRange(valid, at, at + count));
      default -> bytes = Arrays.copyOf(valid, at);
    }
    return new Mutation("bytes at " + at, bytes, false);
  }

  private static void put(byte[] bytes, int at, int width, Random random) {
    if (at + width <= bytes.length) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      long number = NUMBERS[random.nextInt(NUMBERS.length)];
      if (random.nextInt(NUMBERS.length) == 0) {
        number = width == Integer.BYTES ? Float.floatToRawIntBits(Float.NaN) : 0x7ff8L << 48;
      }
      if (width == Integer.BYTES) {
        buffer.putInt(at, (int) number);
      } else {
        buffer.putLong(at, number);
      }
    }
  }

  private static byte[] spliced(byte[] bytes, int from, int to, byte[] between) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(bytes, 0, from);
    out.writeBytes(between);
    out.write(bytes, to, bytes.length - to);
    return out.toByteArray();
  }

  /** Damages JSON; a value of another type must be noticed. */
  public static Mutation json(byte[] valid, Random random) {
    try {
      JsonNode tree = JSON.readTree(valid);
      if (random.nextInt(5) == 0) {
        return bytes(valid, random);
      }
      return mutated(tree, random);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Damages one of several lines of JSON. */
  public static Mutation jsonLines(byte[] valid, Random random) {
    String[] lines = new String(valid, StandardCharsets.UTF_8).split("\n");
    int line = random.nextInt(lines.length);
    Mutation mutation = json(lines[line].getBytes(StandardCharsets.UTF_8), random);
    lines[line] = new String(mutation.bytes(), StandardCharsets.UTF_8);
    return new Mutation(
        "line " + line + ", " + mutation.what(),
        String.join("\n", lines).getBytes(StandardCharsets.UTF_8),
        false);
  }

  /** Damages the header of safetensors, and corrects its length. */
  public static Mutation safeTensorsHeader(byte[] valid, Random random) {
    int length = (int) ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN).getLong();
    Mutation header = json(Arrays.copyOfRange(valid, 8, 8 + length), random);
    byte[] data = Arrays.copyOfRange(valid, 8 + length, valid.length);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.bytes().length + data.length);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(header.bytes().length);
    return new Mutation(header.what(), bytes.put(header.bytes()).put(data).array(), false);
  }

  private static Mutation mutated(JsonNode tree, Random random) throws JsonProcessingException {
    List<JsonNode> places = new ArrayList<>();
    collect(tree, places);
    if (places.isEmpty()) {
      return new Mutation("another tree", JSON.writeValueAsBytes(other(tree, random)), true);
    }
    JsonNode place = places.get(random.nextInt(places.size()));
    String name = null;
    int index = 0;
    if (place instanceof ObjectNode object) {
      List<String> names = new ArrayList<>();
      object.fieldNames().forEachRemaining(names::add);
      name = names.get(random.nextInt(names.size()));
    } else {
      index = random.nextInt(place.size());
    }
    JsonNode old = name == null ? place.get(index) : place.get(name);
    int kind = random.nextInt(10);
    String where = name == null ? "[" + index + "]" : name;
    if (kind == 0) {
      if (place instanceof ObjectNode object) {
        object.remove(name);
      } else {
        ((ArrayNode) place).remove(index);
      }
      return new Mutation("without " + where, JSON.writeValueAsBytes(tree), false);
    }
    if (kind == 1 && name != null) {
      String text = JSON.writeValueAsString(tree);
      String field = JSON.writeValueAsString(name) + ":" + old;
      String other = JSON.writeValueAsString(name) + ":" + other(old, random);
      String twice = text.replace(field, other + "," + field);
      return new Mutation(where + " twice", twice.getBytes(StandardCharsets.UTF_8), false);
    }
    boolean number = old.isNumber() && random.nextBoolean();
    JsonNode value = number ? number(random) : other(old, random);
    if (place instanceof ObjectNode object) {
      object.set(name, value);
    } else {
      ((ArrayNode) place).set(index, value);
    }
    String shown = value.toString();
    return new Mutation(
        String.format(
            Locale.ROOT, "%s is %s", where, shown.substring(0, Math.min(40, shown.length()))),
        JSON.writeValueAsBytes(tree),
        !number && !value.isNull() && !old.isNull());
  }

  private static JsonNode number(Random random) {
    if (random.nextInt(4) == 0) {
      return NODES.numberNode(new double[] {-0.5, 1e308, -1e-300, 0.5}[random.nextInt(4)]);
    }
    return NODES.numberNode(NUMBERS[random.nextInt(NUMBERS.length)]);
  }

  /** Returns a value of another type. */
  private static JsonNode other(JsonNode old, Random random) {
    List<JsonNode> others = new ArrayList<>(List.of(NODES.nullNode()));
    if (!old.isTextual()) {
      others.add(NODES.textNode("abc"));
      others.add(NODES.textNode("NaN"));
      others.add(NODES.textNode("x".repeat(LONG)));
    }
    if (!old.isArray()) {
      others.add(NODES.arrayNode().add(1));
      ArrayNode deep = NODES.arrayNode();
      for (int i = 0; i < 900 + random.nextInt(2) * DEEP; i++) {
        deep = NODES.arrayNode().add(deep);
      }
      others.add(deep);
    }
    if (!old.isObject()) {
      others.add(NODES.objectNode().put("a", 1));
    }
    if (!old.isBoolean()) {
      others.add(NODES.booleanNode(random.nextBoolean()));
    }
    if (!old.isNumber()) {
      others.add(number(random));
    }
    return others.get(random.nextInt(others.size()));
  }

  /** Collects all objects and lists that are not empty. */
  private static void collect(JsonNode node, List<JsonNode> places) {
    if (node.isContainerNode() && !node.isEmpty()) {
      places.add(node);
      node.forEach(child -> collect(child, places));
    }
  }
}
