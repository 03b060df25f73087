/**
 * Options and reports of execution plans: what is recomputed, how activations are stored, and what
 * memory a step takes. The planner itself is {@link org.tokentune.plan.internal}.
 */
package org.tokentune.plan;
