package org.tokentune.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.generate.BeamSearch;
import org.tokentune.generate.GenerationSettings;
import picocli.CommandLine.Option;

/** Options for how tokens are chosen and when a text ends. */
final class GenerationOptions {

  private static final GenerationSettings DEFAULTS = GenerationSettings.defaults();

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = {
        "Logits are divided by it; 0: the most probable token. Default: what the model's",
        "generation_config.json says, 0 where do_sample is false there; else 0.8."
      })
  private Double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = {
        "Draw from the K most probable tokens only; 0: from all. Default: what",
        "generation_config.json says; else all."
      })
  private Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = {
        "Of these, draw from the fewest whose probabilities add up to P; 1: all. Default: what",
        "generation_config.json says; else 0.95."
      })
  private Double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = {
        "Of these, draw from those at least P times as probable as the most probable one; 0: all.",
        "Default: what generation_config.json says; else all."
      })
  private Double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "F",
      description = {
        "Above 1: tokens that the prompt or the text already has become less probable (their logits",
        "are divided by F, negative ones multiplied). Default: what generation_config.json says;",
        "else 1."
      })
  private Double repetitionPenalty;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = {
        "The text ends before TEXT; may be given several times; \\n is a line break. Default: what",
        "generation_config.json says; else only the model's end tokens end it."
      })
  private List<String> stops = new ArrayList<>();

  @Option(
      names = "--beams",
      paramLabel = "N",
      description = {
        "Beam search: keep the N most probable texts, and print the best, in place of drawing tokens.",
        "Default: what generation_config.json says; else 1."
      })
  private Integer beams;

  @Option(
      names = "--length-penalty",
      paramLabel = "X",
      description = {
        "Beam search compares texts by their log-probability over their length to the power X; above 0",
        "favours long ones. Default: what generation_config.json says; else 1."
      })
  private Double lengthPenalty;

  @Option(
      names = "--early-stopping",
      paramLabel = "true|false|never",
      description = {
        "Once N texts are complete, beam search ends (true), or goes on while one could become better:",
        "by its present length (false), or by any (never). Default: what generation_config.json says;",
        "else false."
      })
  private BeamSearch.EarlyStopping earlyStopping;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed draws the same text; default ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "256",
      description = "The largest number of new tokens; default ${DEFAULT-VALUE}.")
  private int maxTokens;

  /** Options take precedence over the model's file, which takes precedence over the defaults. */
  GenerationSettings settings(GenerationConfig model, Set<Integer> ends) {
    boolean greedy =
        Boolean.FALSE.equals(model.sampled())
            && temperature == null
            && topK == null
            && topP == null
            && minP == null;
    double warmth = greedy ? 0 : first(temperature, model.temperature(), DEFAULTS.temperature());
    return DEFAULTS
        .withTemperature(warmth)
        .withTopK(first(topK, model.topK(), DEFAULTS.topK()))
        .withTopP(first(topP, model.topP(), DEFAULTS.topP()))
        .withMinP(first(minP, model.minP(), DEFAULTS.minP()))
        .withRepetitionPenalty(
            first(repetitionPenalty, model.repetitionPenalty(), DEFAULTS.repetitionPenalty()))
        .withStops(stops.isEmpty() ? model.stops() : stops.stream().map(Words::unescaped).toList())
        .withSearch(search(model))
        .withSeed(seed)
        .withMaxTokens(maxTokens)
        .withEnds(ends);
  }

  private BeamSearch search(GenerationConfig model) {
    String sampling = sampling();
    Integer modelBeams = sampling == null ? model.beams() : null; // options come first
    int count = first(beams, modelBeams, 1);
    if (count > 1 && sampling != null) {
      throw new BadSettingsException(
          "--beams draws no tokens; leave %s out, or search with --beams 1.", sampling);
    }
    if (count == 1 && (lengthPenalty != null || earlyStopping != null)) {
      throw new BadSettingsException(
          "%s is for beam search; give --beams 4, say, or leave it out.",
          lengthPenalty != null ? "--length-penalty" : "--early-stopping");
    }
    BeamSearch.EarlyStopping modelStopping =
        model.earlyStopping() == null
            ? null
            : BeamSearch.EarlyStopping.valueOf(model.earlyStopping().toUpperCase(Locale.ROOT));
    return BeamSearch.of(count)
        .withLengthPenalty(
            first(lengthPenalty, model.lengthPenalty(), BeamSearch.NONE.lengthPenalty()))
        .withEarlyStopping(first(earlyStopping, modelStopping, BeamSearch.NONE.earlyStopping()));
  }

  /** An option that was given and has an effect on sampling only; null if there is none. */
  private String sampling() {
    Map<String, Boolean> given =
        Map.of(
            "--temperature", temperature != null && temperature > 0,
            "--top-k", topK != null,
            "--top-p", topP != null,
            "--min-p", minP != null);
    return given.keySet().stream().filter(given::get).sorted().findFirst().orElse(null);
  }

  private static <T> T first(T option, T model, T otherwise) {
    return option != null ? option : model != null ? model : otherwise;
  }
}
