package org.tokentune.formats;

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
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;

/**
 * Small files that come with a model in addition to its configuration, weights and {@code
 * tokenizer.json}: settings of the tokenizer and of generation, chat templates, and
 * sentence-transformers' {@code modules.json} with its parts. Names are relative paths with {@code
 * /}.
 */
public final class CompanionFiles {

  public static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  public static final String SPECIAL_TOKENS = "special_tokens_map.json";
  public static final String GENERATION_CONFIG = "generation_config.json";
  public static final String MODULES = "modules.json";
  public static final String SENTENCE_CONFIG = "sentence_bert_config.json";
  public static final String CHAT_TEMPLATE = "chat_template.jinja";
  public static final String SENTENCE_TRANSFORMERS = "config_sentence_transformers.json";

  /** Names of {@link #SENTENCE_CONFIG} in the first versions of sentence-transformers, by model. */
  public static final List<String> OLD_SENTENCE_CONFIGS =
      List.of("sentence_roberta_config.json", "sentence_distilbert_config.json");

  /** Top-level files that no other file refers to. */
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
          "spm.model",
          "tokenizer.model",
          "vocab.json",
          "vocab.txt");

  /** Larger than any vocabulary, or a dense layer on a large model. */
  private static final long MAX_BYTES = 1 << 28;

  /** A named chat template, or a file of a module listed in {@code modules.json}. */
  private static final Pattern WITHIN =
      Pattern.compile(
          "additional_chat_templates/[A-Za-z0-9_.-]+\\.jinja|[0-9]+_[A-Za-z0-9_]+/(config\\.json|model\\.safetensors)");

  private static final Pattern TOKENIZER =
      Pattern.compile(
          "tokenizer_config\\.json|special_tokens_map\\.json|added_tokens\\.json|.*chat_template.*");

  private static final ObjectMapper JSON = new ObjectMapper();

  /** No companion files. */
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

  /** The companion files in a folder, read on demand. */
  public static CompanionFiles in(Path folder) {
    Map<String, Content> files = new TreeMap<>();
    collect(folder, files);
    return new CompanionFiles(folder.toString(), files);
  }

  /**
   * The companion files of a sentence-transformers model whose encoder has its own folder,
   * presented as if all files were in one folder.
   *
   * @param encoder the encoder's folder within it
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
      throw new BadFileException(e, "%s cannot be listed; check the path.", folder);
    }
    for (String name : names) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file)) {
        files.put(name, () -> read(file));
      }
    }
  }

  private static byte[] read(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new BadFileException(
          "%s has more than the %d bytes supported; its content does not match its name.",
          file, MAX_BYTES);
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

  /** The file name of a named chat template. */
  static String chatTemplate(String name) {
    return "additional_chat_templates/" + name + ".jinja";
  }

  /** The names of all files. */
  public Set<String> names() {
    return files.keySet();
  }

  /** A file's name for messages. */
  public String origin(String name) {
    return origin + "/" + name;
  }

  /** A file's bytes; empty if it is missing. */
  public Optional<byte[]> bytes(String name) {
    Content content = files.get(name);
    if (content == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(content.read());
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read: %s.", origin(name), e.getMessage());
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
                return ModelFolder.JSON.readerFor(JsonNode.class).<JsonNode>readValue(bytes);
              } catch (IOException e) {
                throw new BadFileException(
                    e, "%s is not valid JSON; download it again.", origin(name));
              }
            });
  }

  /** A reader of a JSON object file; of an empty object if the file is missing. */
  public ConfigReader object(String name) {
    JsonNode json = json(name).orElse(MissingNode.getInstance());
    if (!json.isMissingNode() && !json.isObject()) {
      throw new BadFileException("%s is not a JSON object; download it again.", origin(name));
    }
    return ConfigReader.of(json, origin(name));
  }

  /** Writes all files into a folder under construction. */
  public void write(Path folder) throws IOException {
    for (String name : names()) {
      write(folder, name);
    }
  }

  /** Writes the files that transformers saves with a tokenizer: its settings and chat templates. */
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
