"""The doctor in Korean."""

from __future__ import annotations

from lucidgrad.training.doctor.language import Language, Message

KOREAN = Language(
    heading="{epochs}를 학습한 결과에서 찾은 문제: {count}건",
    healthy="{epochs}를 학습한 결과에서 문제를 찾지 못했습니다.",
    epoch="에포크 1개",
    epochs="에포크 {n}개",
    remedy="처방",
    terms={
        "start": "학습 전",
        "end": "학습 후",
        "data": "데이터의 행",
        "output": "출력",
        "gradient": "기울기",
        "update": "갱신",
        "weights": "가중치",
        "accuracy": "정확도",
        "r2": "R²",
    },
    messages={
        "unscaled_inputs": Message(
            "스케일이 맞지 않는 입력",
            "입력의 제곱평균제곱근이 {rms:.3g}이고 {feature}번 특성은 {largest:.3g}입니다. 초기 가중치는 "
            "입력의 크기가 "
            "1 안팎이라고 보고 정해집니다.",
            "lucidgrad.data.Standardize로 특성마다 평균 0, 표준편차 1이 되게 맞추세요(학습 데이터로만 계산합니다). "
            "화소 값이라면 255로 나누면 됩니다.",
        ),
        "unscaled_targets": Message(
            "스케일이 맞지 않는 목푯값",
            "목푯값의 평균이 {mean:.3g}, 표준편차가 {deviation:.3g}입니다. 신경망의 출력은 1 안팎에서 "
            "시작하므로 그 크기까지 "
            "커지는 데에만 학습을 써 버립니다.",
            "(y - 평균) / 표준편차로 학습하고, 예측할 때 되돌리세요.",
        ),
        "class_imbalance": Message(
            "클래스 불균형",
            "클래스 {largest}의 샘플은 {most}개인데 클래스 {smallest}의 샘플은 {fewest}개뿐입니다(비율 "
            "{ratio:.3g} 대 1). "
            "드문 클래스는 {recall:.0%}, 흔한 클래스는 {recall_largest:.0%}를 맞힙니다.",
            "CrossEntropy(class_weight=...)로 샘플 수에 반비례하게 가중치를 주고, 정확도 대신 재현율이나 F1로 "
            "평가하세요.",
        ),
        "leaking_rows": Message(
            "검증 데이터에 섞인 학습 데이터",
            "검증 데이터 {rows}행 가운데 {shared}행({share:.1%})이 학습 데이터에 똑같이 들어 있습니다. 외운 "
            "것을 다시 "
            "물어보는 셈이어서 검증 점수를 믿을 수 없습니다.",
            "나누기 전에 중복된 행을 없애거나, 되풀이되는 단위(환자, 고객, 문서)별로 나누세요. 특성이 몇 가지 값만 "
            "가진다면 우연히 겹친 것일 수도 있습니다.",
        ),
        "shuffled_labels": Message(
            "뒤섞인 듯한 레이블",
            "가장 가까운 이웃 {neighbours}개의 목푯값이 우연한 수준으로만 일치합니다(z = {z:.2g}, {rows}행). "
            "목푯값이 입력과 "
            "아무 관계가 없어 보입니다.",
            "몇 행을 목푯값과 나란히 놓고 확인하세요. x와 y를 따로 정렬했거나 섞었거나 걸러 냈을 수 있고, "
            "잘못된 키로 "
            "합쳤을 수도 있습니다.",
        ),
        "first_nan": Message(
            "유한하지 않은 수",
            "{epoch}번째 에포크의 {step}번째 갱신에서 NaN 또는 무한대가 처음 나타났습니다. 나타난 곳: {place} "
            "({kind}). 그 전까지는 "
            "모두 유한한 수였습니다.",
            "데이터에 NaN이 있는지부터 확인하고, 학습률을 낮추거나 기울기를 자르세요(lucidgrad.optim.clipped). "
            "NaNGuard 콜백을 쓰면 그 자리에서 멈추고 직전의 가중치를 남깁니다.",
        ),
        "learning_rate_too_high": Message(
            "너무 큰 학습률",
            "첫 갱신 전의 손실은 {start:.4g}였는데 가장 나빴던 {epoch}번째 에포크에는 {worst:.4g}였습니다. "
            "학습률 {rate:.3g}로 "
            "{steps}번 더 갱신하면 손실이 {before:.4g}에서 {at:.4g}로, 그 10분의 1로 하면 {tenth:.4g}로 바뀝니다.",
            "학습률을 3분의 1에서 10분의 1로 줄이세요. lucidgrad.find_learning_rate가 알맞은 값을 찾아 줍니다.",
        ),
        "learning_rate_too_low": Message(
            "너무 작은 학습률",
            "손실이 {start:.4g}에서 {before:.4g}까지밖에 내려가지 않았습니다. 학습률 {rate:.3g}로 {steps}번 더 "
            "갱신하면 "
            "{at:.4g}이지만, 그 {factor:,}배로 하면 {better:.4g}까지 내려갑니다.",
            "학습률을 {factor:,}배로 키우세요. lucidgrad.find_learning_rate가 알맞은 값을 찾아 줍니다.",
        ),
        "exploding_gradients": Message(
            "기울기 폭발",
            "기울기가 역전파로 층 {layer}에 이르는 동안 출력에서의 {amplification:.3g}배로 커집니다"
            "(가중치와 샘플 하나 기준, {moment}).",
            "초기 가중치를 줄이고(lucidgrad.nn.init의 he_normal이나 glorot_normal), 층 사이에 LayerNorm이나 "
            "BatchNorm을 넣거나, "
            "lucidgrad.optim.clipped(..., max_norm=1.0)로 기울기를 자르세요.",
        ),
        "vanishing_gradients": Message(
            "기울기 소실",
            "기울기가 역전파로 층 {layer}에 이르는 동안 출력에서의 {shrunk:.2g}배로 작아집니다"
            "(가중치와 샘플 하나 기준, 제곱평균제곱근은 그 층에서 {small:.2g}, 층 {strongest}에서 {large:.2g}, "
            "{moment}). 앞쪽 층이 거의 배우지 못합니다.",
            "sigmoid나 tanh 대신 relu나 gelu를 쓰고, 활성화 함수에 맞게 초기화하세요. Residual이나 정규화 층을 "
            "넣거나 층 수를 "
            "줄이는 것도 방법입니다.",
        ),
        "dead_relu": Message(
            "죽은 ReLU",
            "층 {layer} 다음의 ReLU {units}개 가운데 {dead}개({share:.0%})가 살펴본 모든 샘플에서 0을 냅니다. "
            "그 가중치로는 "
            "기울기가 흐르지 않습니다.",
            "학습률을 낮추고, 편향은 0에서, 가중치는 he_normal로 시작하고, 입력의 스케일을 맞추세요. "
            "leaky_relu나 gelu를 "
            "써도 됩니다.",
        ),
        "saturated_activations": Message(
            "포화된 활성화",
            "층 {layer} 다음의 {activation} 값 가운데 {share:.0%}가 한계값의 1% 이내에 몰려 "
            "있습니다({moment}). 그곳에서는 "
            "기울기가 거의 0입니다.",
            "입력의 스케일을 맞추고, 초기 가중치를 줄이거나(glorot_normal) 학습률을 낮추세요. relu로 바꾸는 "
            "것도 방법입니다.",
        ),
        "growing_weights": Message(
            "계속 커지는 가중치",
            "{path}의 최대 |w|가 {first:.3g}에서 {last:.3g}까지 커졌고, {epoch}번째 에포크에도 계속 커지고 있습니다.",
            "가중치 감쇠(AdamW 또는 lucidgrad.optim.regularized)를 쓰거나, 학습률을 낮추거나, 더 일찍 멈추세요.",
        ),
        "overfitting": Message(
            "과적합",
            "{epoch}번째 에포크부터 검증 손실이 {best:.4g}에서 {last:.4g}로 오르는데, 학습 손실은 "
            "{train_best:.4g}에서 "
            "{train_last:.4g}로 계속 내려갑니다.",
            "그때 멈추거나(EarlyStopping이 가장 좋았던 가중치를 되살립니다), 데이터를 늘리거나, 유닛 수를 줄이거나, "
            "Dropout 또는 가중치 감쇠를 쓰세요.",
        ),
        "underfitting": Message(
            "과소적합",
            "{epoch}번째 에포크부터 학습 손실이 그대로입니다. 학습 데이터에서 신경망의 {score}는 "
            "{reached:.3g}인데, 가장 가까운 "
            "이웃 {neighbours}개로만 예측해도 {possible:.3g}입니다. 아직 배울 것이 남아 있습니다.",
            "유닛을 늘리거나 비선형 활성화 함수가 있는 은닉층을 더하세요. 규제가 강하다면 줄이세요.",
        ),
    },
)
