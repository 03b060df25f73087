package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tokentune.formats.ConfigReader;
import org.tokentune.models.ModelConfig;

/** docs/files.md lists what is known of the fields of {@code config.json}, as the code has it. */
class ConfigFieldsPageTest {

  private static final Path PAGE = Document.HOME.resolve("docs/files.md");
  private static final String BEGIN = "<!-- fields: made by ConfigFieldsPageTest -->\n";
  private static final String END = "<!-- end of fields -->\n";

  /** The least that each family must say of itself. */
  private static final Map<String, String> SIZES = new LinkedHashMap<>();

  static {
    String encoder =
        "'hidden_size': 8, 'num_hidden_layers': 1, 'num_attention_heads': 2, 'intermediate_size': 8,"
            + " 'max_position_embeddings': 9";
    SIZES.put("bert", encoder + ", 'type_vocab_size': 2");
    SIZES.put("roberta", encoder + ", 'type_vocab_size': 1");
    SIZES.put(
        "distilbert",
        "'dim': 8, 'n_layers': 1, 'n_heads': 2, 'hidden_dim': 8, 'max_position_embeddings': 9");
    SIZES.put("gpt2", "'n_embd': 8, 'n_layer': 1, 'n_head': 2, 'n_positions': 9");
    SIZES.put("llama", encoder);
    SIZES.put("mistral", encoder + ", 'num_key_value_heads': 1");
    for (String type : List.of("qwen2", "qwen3", "smollm3", "olmo2", "phi3", "gemma2")) {
      SIZES.put(type, encoder + ", 'num_key_value_heads': 1");
    }
    SIZES.put("gemma3_text", encoder + ", 'num_key_value_heads': 1");
    SIZES.put("granite", encoder);
    SIZES.put("stablelm", encoder + ", 'num_key_value_heads': 1, 'partial_rotary_factor': 0.5");
    SIZES.put("xlm-roberta", encoder + ", 'type_vocab_size': 1");
    SIZES.put("electra", encoder);
    SIZES.put("mpnet", encoder);
    SIZES.put(
        "deberta-v2",
        encoder
            + ", 'relative_attention': true, 'share_att_key': true, 'norm_rel_ebd': 'layer_norm',"
            + " 'pos_att_type': 'p2c|c2p'");
    SIZES.put("modernbert", encoder);
  }

  /** Reads the smallest configuration of a family. */
  static ConfigReader read(String family) {
    String fields = "{'model_type': '" + family + "', 'vocab_size': 7, " + SIZES.get(family) + "}";
    try {
      ConfigReader reader =
          ConfigReader.of(new ObjectMapper().readTree(fields.replace('\'', '"')), family);
      ModelConfig.read(reader);
      return reader;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String section() {
    Map<String, ConfigReader> families = new LinkedHashMap<>();
    SIZES.keySet().forEach(family -> families.put(family, read(family)));
    Set<String> everywhere = new TreeSet<>(families.get("bert").known().harmless());
    families.values().forEach(reader -> everywhere.retainAll(reader.known().harmless()));
    Map<String, List<JsonNode>> refused = new TreeMap<>(families.get("bert").known().supported());
    families
        .values()
        .forEach(reader -> refused.entrySet().retainAll(reader.known().supported().entrySet()));
    StringBuilder text = new StringBuilder(BEGIN);
    text.append("| `model_type` | used | harmless | refused unless |\n|---|---|---|---|\n");
    families.forEach(
        (family, reader) -> {
          Set<String> harmless = new TreeSet<>(reader.known().harmless());
          harmless.removeAll(everywhere);
          harmless.removeAll(reader.asked());
          Map<String, List<JsonNode>> supported = new TreeMap<>(reader.known().supported());
          supported.entrySet().removeAll(refused.entrySet());
          supported.keySet().removeAll(reader.asked());
          text.append(
              "| `%s` | %s | %s | %s |\n"
                  .formatted(family, names(reader.asked()), names(harmless), supported(supported)));
        });
    Set<String> plain = new TreeSet<>(everywhere);
    families.values().forEach(reader -> plain.removeAll(reader.asked()));
    text.append("\nHarmless in all of them, or read with the head, the tokenizer and generation: ");
    text.append(names(plain));
    text.append(
        ".\n\nOf models that do not use it, each of these is refused unless it is null or: ");
    return text.append(supported(refused)).append(".\n").append(END).toString();
  }

  private static String names(Set<String> names) {
    return names.stream().map(name -> "`" + name + "`").collect(Collectors.joining(", "));
  }

  private static String supported(Map<String, List<JsonNode>> supported) {
    return supported.entrySet().stream()
        .map(
            field ->
                "`%s` %s"
                    .formatted(
                        field.getKey(),
                        field.getValue().isEmpty()
                            ? "null"
                            : field.getValue().stream()
                                .map(value -> "`" + value + "`")
                                .collect(Collectors.joining(" or "))))
        .collect(Collectors.joining(", "));
  }

  @Test
  void thePageHasEveryField() throws IOException {
    assertEquals(new TreeSet<>(ModelConfig.families()), new TreeSet<>(SIZES.keySet()));
    String section = section();
    GeneratedSection.check(PAGE, BEGIN, section, END);
    System.out.println(section.lines().count() + " lines of fields");
  }
}
