package org.tokentune.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.tokentune.formats.GenerationConfig;
import org.tokentune.generate.GenerationSettings;

/**
 * How a request wants its texts generated.
 *
 * @param seeded whether it gives the seed; otherwise each text draws its own
 * @param counted whether it gives the number of new tokens; otherwise it is what fits, at most
 */
record Sampling(GenerationSettings settings, boolean seeded, boolean counted) {

  /** Fields that change nothing of a text. */
  private static final Set<String> HARMLESS =
      Set.of(
          "user",
          "metadata",
          "store",
          "service_tier",
          "safety_identifier",
          "prompt_cache_key",
          "prompt_cache_retention",
          "parallel_tool_calls",
          "prediction");

  private static final double HOTTEST = 2;

  /** As vLLM has it: smaller and larger ones make logits infinite. */
  private static final double LEAST_PENALTY = 0.1;

  private static final double MOST_PENALTY = 10;
  private static final int MOST_STOPS = 16;
  private static final int LONGEST_STOP = 256;

  /**
   * Reads the fields of OpenAI, and vLLM's others, and refuses those that are not supported. What a
   * request does not say is as the model's {@code generation_config.json} says, else as with
   * OpenAI: temperature 1, top-p 1.
   *
   * @param tokens new ones, where the request does not say
   * @param most new tokens
   */
  static Sampling read(RequestFields fields, ServedGenerator model, int tokens, int most) {
    GenerationConfig config = model.defaults();
    Double temperature = fields.number("temperature", 0, HOTTEST);
    Double topP = fields.number("top_p", 0, 1);
    Integer topK = fields.count("top_k", -1, Integer.MAX_VALUE);
    Double minP = fields.number("min_p", 0, 1);
    Double penalty = fields.number("repetition_penalty", LEAST_PENALTY, MOST_PENALTY);
    boolean greedy =
        Boolean.FALSE.equals(config.sampled())
            && temperature == null
            && topP == null
            && topK == null
            && minP == null;
    List<String> stops = fields.texts("stop");
    if (stops.size() > MOST_STOPS) {
      throw ApiException.bad(
          "stop", "stop has %d texts; give %d at most.", stops.size(), MOST_STOPS);
    }
    if (stops.stream().anyMatch(stop -> stop.length() > LONGEST_STOP)) {
      throw ApiException.bad(
          "stop", "stop has a text of more than %d characters; shorten it.", LONGEST_STOP);
    }
    Long seed = fields.whole("seed");
    Integer newTokens = fields.count("max_tokens", 1, most);
    Integer completion = fields.count("max_completion_tokens", 1, most);
    if (newTokens != null && completion != null && !newTokens.equals(completion)) {
      throw ApiException.bad(
          "max_tokens",
          "max_tokens is %d and max_completion_tokens %d, which mean the same; give one.",
          newTokens,
          completion);
    }
    Integer counted = completion == null ? newTokens : completion;
    fields.mustBe("n", "1");
    fields.mustBe("best_of", "1");
    fields.mustBe("presence_penalty", "0", "0.0");
    fields.mustBe("frequency_penalty", "0", "0.0");
    fields.mustBe("logit_bias", "{}");
    fields.mustBe("logprobs", "false");
    fields.mustBe("top_logprobs", "0");
    fields.ignore(HARMLESS);
    GenerationSettings settings =
        GenerationSettings.defaults()
            .withTemperature(greedy ? 0 : first(temperature, config.temperature(), 1.0))
            .withTopP(first(topP, config.topP(), 1.0))
            .withTopK(Math.max(0, first(topK, config.topK(), 0))) // vLLM's -1: all
            .withMinP(first(minP, config.minP(), 0.0))
            .withRepetitionPenalty(first(penalty, config.repetitionPenalty(), 1.0))
            .withStops(stops.isEmpty() ? config.stops() : stops)
            .withSeed(seed == null ? 0 : seed)
            .withMaxTokens(counted == null ? tokens : counted)
            .withEnds(model.model().tokenizer().ends());
    return new Sampling(settings, seed != null, counted != null);
  }

  /**
   * The settings of one text.
   *
   * @throws ApiException if the model does not take as many tokens, or the server does not hold
   *     them
   */
  GenerationSettings of(int[] prompt, ServedGenerator model) {
    int context = model.model().maxLength();
    if (prompt.length >= context) {
      throw ApiException.refused(
          400,
          "context_length_exceeded",
          "The prompt has %d tokens, which leaves no room within the model's %d; shorten it.",
          prompt.length,
          context);
    }
    int room = model.cacheTokens() - prompt.length;
    int most = Math.min(settings.maxTokens(), context - prompt.length);
    if (room < (counted ? most : 1)) {
      throw ApiException.refused(
          400,
          "context_length_exceeded",
          "The prompt has %d tokens and may get %d new ones, more than the %d that the server holds;"
              + " ask for fewer, or start it with a larger --cache-tokens.",
          prompt.length,
          most,
          model.cacheTokens());
    }
    return settings
        .withMaxTokens(Math.min(settings.maxTokens(), room))
        .withSeed(seeded ? settings.seed() : ThreadLocalRandom.current().nextLong());
  }

  private static <T> T first(T request, T model, T otherwise) {
    return request != null ? request : model != null ? model : otherwise;
  }

  /** Whether a streamed answer ends with its numbers of tokens. */
  static boolean wantsUsage(RequestFields fields, boolean stream) {
    RequestFields options = fields.object("stream_options");
    if (options == null) {
      return false;
    }
    if (!stream) {
      throw ApiException.bad(
          "stream_options", "stream_options is for streams; set stream, or leave it out.");
    }
    boolean usage = options.flag("include_usage");
    options.flag("include_obfuscation");
    options.finish();
    return usage;
  }

  /** The tokens of a prompt that a request gives as numbers. */
  static int[] ids(JsonNode list, String name) {
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      if (!list.get(i).isInt()) {
        throw ApiException.bad(name, "%s must have texts alone, or token numbers alone.", name);
      }
      ids[i] = list.get(i).intValue();
    }
    return ids;
  }
}
