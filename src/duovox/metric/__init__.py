"""How good a model is: word errors, verification errors, and how sure we are of both.

Plain functions on plain numbers; every number says how it is defined.

| file | number |
|---|---|
| wer | word and character error rate of a whole corpus, with substitutions, deletions, insertions |
| eer | equal error rate, interpolated (headline) or as other toolkits read it |
| min_dcf | minimum of the normalised detection cost |
| actual_dcf | the same cost at the threshold that calibrated scores promise is best |
| cllr | cost of log-likelihood ratios over all decisions, and its minimum |
| bayes_error | actual and minimum cost over all priors, for plots |
| fusion | scores of one system or several -> log-likelihood ratios |
| det | the DET curve, for plots |
| interval | 95 % bootstrap intervals, over utterances for WER, over speakers for EER and minDCF |
| trial_draws | error rates on draws of the speakers, for the intervals |
| cosine_score | scores of a trial list from embeddings |
| score_normalisation | adaptive s-norm against a cohort |

Labels of trials: 1 = same speaker (target), 0 = different speakers (non-target). A trial is
accepted when its score is at or above the threshold. `error_curve` holds the two error rates at
every threshold; EER, minDCF and DET are read from it: who wants all three sorts once.
"""
