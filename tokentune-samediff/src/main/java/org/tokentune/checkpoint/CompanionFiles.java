package org.tokentune.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.tokentune.BadInputException;

/**
 * Small files that come with a model beside its configuration, weights and {@code tokenizer.json}:
 * settings of the tokenizer and of generation, chat templates, and sentence-transformers' {@code
 * modules.json} with its parts. Names are relative paths with {@code /}.
 */
public final class CompanionFiles {

  public static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  public static final String SPECIAL_TOKENS = "special_tokens_map.json";
  public static final String GENERATION_CONFIG = "generation_config.json";
  public static final String MODULES = "modules.json";
  public static final String SENTENCE_CONFIG = "sentence_bert_config.json";
  public static final String CHAT_TEMPLATE = "chat_template.jinja";
  public static final String SENTENCE_TRANSFORMERS = "config_sentence_transformers.json";

  /** What the first versions of sentence-transformers call {@link #SENTENCE_CONFIG}, by model. */
  public static final List<String> OLD_SENTENCE_CONFIGS =
      List.of("sentence_roberta_config.json", "sentence_distilbert_config.json");

  /** Those at the top that do not depend on what others say. */
  private static final List<String> PLAIN =
      List.of(
          TOKENIZER_CONFIG,
          SPECIAL_TOKENS,
          GENERATION_CONFIG,
          MODULES,
          SENTENCE_CONFIG,
          SENTENCE_TRANSFORMERS,
          "added_tokens.json",
          CHAT_TEMPLATE,
          "chat_template.json",
          "merges.txt",
          "sentencepiece.bpe.model",
          "spiece.model",
          "tokenizer.model",
          "vocab.json",
          "vocab.txt");

  /** More than any vocabulary has, or a dense layer on a large model. */
  private static final long MOST_BYTES = 1 << 28;

  /** A chat template of a name, or a file of a part that {@code modules.json} lists. */
  private static final Pattern WITHIN =
      Pattern.compile(
          "additional_chat_templates/[A-Za-z0-9_.-]+\\.jinja|[0-9]+_[A-Za-z0-9_]+/(config\\.json|model\\.safetensors)");

  private static final Pattern TOKENIZER =
      Pattern.compile(
          "tokenizer_config\\.json|special_tokens_map\\.json|added_tokens\\.json|.*chat_template.*");

  private static final ObjectMapper JSON = new ObjectMapper();

  /** None. */
  public static final CompanionFiles NONE = new CompanionFiles("", Map.of());

  private interface Content {
    byte[] read() throws IOException;
  }

  private final String origin;
  private final Map<String, Content> files;

  private CompanionFiles(String origin, Map<String, Content> files) {
    this.origin = origin;
    this.files = new TreeMap<>(files);
  }

  /** Those in a folder; read when they are asked for. */
  public static CompanionFiles in(Path folder) {
    Map<String, Content> files = new TreeMap<>();
    collect(folder, files);
    return new CompanionFiles(folder.toString(), files);
  }

  /**
   * Those of a model of sentence-transformers whose encoder has a folder of its own, as if all
   * stood in one.
   *
   * @param encoder the folder within it
   */
  static CompanionFiles in(Path folder, Path encoder) {
    Map<String, Content> files = new TreeMap<>();
    collect(folder, files);
    JsonNode modules = new CompanionFiles(folder.toString(), files).json(MODULES).orElseThrow();
    String path = encoder.getFileName().toString();
    for (JsonNode module : modules) {
      if (module.path("path").asText().equals(path)) {
        ((ObjectNode) module).put("path", "");
      }
    }
    files.keySet().removeIf(name -> name.startsWith(path + "/"));
    collect(encoder, files);
    files.put(MODULES, () -> JSON.writeValueAsBytes(modules));
    return new CompanionFiles(folder.toString(), files);
  }

  private static void collect(Path folder, Map<String, Content> files) {
    Set<String> names = new TreeSet<>(PLAIN);
    names.addAll(OLD_SENTENCE_CONFIGS);
    try (Stream<Path> all = Files.walk(folder, 2)) {
      all.map(file -> folder.relativize(file).toString().replace('\\', '/'))
          .filter(name -> WITHIN.matcher(name).matches())
          .forEach(names::add);
    } catch (IOException | UncheckedIOException e) {
      throw new BadInputException(e, "%s cannot be listed; check the path.", folder);
    }
    for (String name : names) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file)) {
        files.put(name, () -> read(file));
      }
    }
  }

  private static byte[] read(Path file) throws IOException {
    if (Files.size(file) > MOST_BYTES) {
      throw new BadInputException(
          "%s has more than the %d bytes supported; it is not what its name says.",
          file, MOST_BYTES);
    }
    return Files.readAllBytes(file);
  }

  /**
   * JSON files by their names.
   *
   * @param origin where they are from, for messages
   */
  public static CompanionFiles of(String origin, Map<String, JsonNode> files) {
    Map<String, Content> contents = new TreeMap<>();
    files.forEach((name, json) -> contents.put(name, () -> JSON.writeValueAsBytes(json)));
    return new CompanionFiles(origin, contents);
  }

  /**
   * Files by their names.
   *
   * @param origin where they are from, for messages
   */
  static CompanionFiles ofBytes(String origin, Map<String, byte[]> files) {
    Map<String, Content> contents = new TreeMap<>();
    files.forEach((name, bytes) -> contents.put(name, () -> bytes));
    return new CompanionFiles(origin, contents);
  }

  /** What a chat template that has a name is called. */
  static String chatTemplate(String name) {
    return "additional_chat_templates/" + name + ".jinja";
  }

  /** Their names. */
  public Set<String> names() {
    return files.keySet();
  }

  /** A file's name for messages. */
  public String origin(String name) {
    return origin + "/" + name;
  }

  /** A file's bytes; empty where it is not there. */
  public Optional<byte[]> bytes(String name) {
    Content content = files.get(name);
    if (content == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(content.read());
    } catch (IOException e) {
      throw new BadInputException(e, "%s cannot be read: %s.", origin(name), e.getMessage());
    }
  }

  /**
   * A parsed JSON file.
   *
   * @throws BadInputException if it is not valid JSON
   */
  public Optional<JsonNode> json(String name) {
    return bytes(name)
        .map(
            bytes -> {
              try {
                return JSON.readerFor(JsonNode.class).<JsonNode>readValue(bytes);
              } catch (IOException e) {
                throw new BadInputException(e, "%s is not valid JSON; get it again.", origin(name));
              }
            });
  }

  /** A reader of a file that is a JSON object; of an empty one where the file is not there. */
  public ConfigReader object(String name) {
    JsonNode json = json(name).orElse(MissingNode.getInstance());
    if (!json.isMissingNode() && !json.isObject()) {
      throw new BadInputException("%s is not a JSON object; get it again.", origin(name));
    }
    return ConfigReader.of(json, origin(name));
  }

  /** Writes all of them into a folder that is being written. */
  public void write(Path folder) throws IOException {
    for (String name : names()) {
      write(folder, name);
    }
  }

  /** Writes those that transformers saves with a tokenizer: its settings and chat templates. */
  public void writeTokenizer(Path folder) throws IOException {
    for (String name : names()) {
      if (TOKENIZER.matcher(name).matches()) {
        write(folder, name);
      }
    }
  }

  private void write(Path folder, String name) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes(name).orElseThrow());
  }
}
