"""Parts of names about permission, in writing that puts no blanks between words or bends them.

Belongs here: the parts in Japanese, Chinese, Korean, Thai, Russian, Ukrainian, Arabic, Hebrew,
Greek, Vietnamese, Turkish, Romanian, Hungarian, Finnish and Indonesian, looked for anywhere in a
name. Does not belong here: what a name that holds one comes to (`spoken_names`), and words that
stand alone in a cell (the seed `status_words`).
"""

from __future__ import annotations

import re
from functools import cache

from orchestration.ops.permission.status_words import folded

# A way out.
REFUSING = (
    *("配信停止", "配信解除", "配信拒否", "配信不要", "購読停止", "購読解除", "受信拒否"),
    *("受信停止", "退会", "送信停止", "連絡禁止", "同意撤回", "同意しない", "希望しない"),
    *("オプトアウト", "DM不要", "メール停止", "メール拒否", "メール不要", "メール解除"),
    *("メルマガ停止", "メルマガ解除", "メルマガ不要", "メルマガ拒否", "メルマガ退会"),
    *("メールマガジン解除", "メールマガジン停止", "ニュースレター解除", "ニュースレター停止"),
    *("広告拒否", "広告停止", "案内不要", "DM拒否", "退订", "退訂", "拒收", "取消订阅"),
    *("取消訂閱", "停止订阅", "停止訂閱", "不接收", "不再接收", "停止接收", "拒绝接收"),
    *("拒絕接收", "勿扰", "勿擾", "请勿联系", "請勿聯繫", "黑名单", "黑名單", "撤回同意"),
    *("拒绝营销", "拒絕行銷", "수신거부", "수신차단", "수신중지", "구독취소", "구독해지"),
    *("구독중지", "동의철회", "블랙리스트", "ยกเลิกการรับ", "ยกเลิกรับ", "ยกเลิกการสมัคร"),
    *("ยกเลิกสมาชิก", "ยกเลิกการติดตาม", "ไม่รับ", "เลิกรับ", "หยุดรับ", "ถอนความยินยอม"),
    *("ไม่ยินยอม", "отписан", "отписал", "отписк", "отказ от рассыл", "отказ от реклам"),
    *("не беспокоить", "не писать", "отзыв соглас", "отозвано соглас", "черный список"),
    *("відписан", "відписк", "не турбувати", "إلغاء الاشتراك", "إلغاء اشتراك", "عدم الإزعاج"),
    *("رفض التسويق", "סירוב לדיוור", "הסרה מרשימ", "הסר מרשימ", "ביטול הרשמה", "απεγγραφ"),
    *("διαγραφη απο", "hủy đăng ký", "từ chối nhận", "ngừng nhận", "abonelikten çık"),
    *("dezabon", "leiratkoz", "suoramarkkinointikielto", "markkinointikielto"),
    "berhenti berlangganan",
)
# A choice, in or out.
CHOOSING = (
    *("同意", "購読", "メルマガ", "メールマガジン", "ニュースレター", "広告メール"),
    *("案内メール", "お知らせメール", "キャンペーンメール", "宣伝メール", "メール配信"),
    *("メール受信", "メール許可", "配信希望", "受信希望", "配信可否", "受信可否", "配信許可"),
    *("受信許可", "DM希望", "DM可否", "DM許可", "オプトイン", "订阅", "訂閱", "营销", "行銷"),
    *("推广邮件", "广告邮件", "廣告郵件", "接收邮件", "接收郵件", "接收短信", "接收推广"),
    *("接收广告", "수신동의", "마케팅", "뉴스레터", "광고성", "구독", "동의여부", "รับข่าวสาร"),
    *("จดหมายข่าว", "ยินยอม", "รับโปรโมชั่น", "рассылк", "соглас", "подписк", "подписан"),
    *("розсилк", "згод", "підписк", "підписан", "النشرة", "اشتراك", "موافقة", "ניוזלטר"),
    *("דיוור", "הסכמה", "ενημερωτικ", "συγκαταθεσ", "nhận bản tin", "nhận tin", "bülten"),
    *("ileti izni", "hírlevél", "hozzájárul", "uutiskirje", "markkinointilupa", "suostumus"),
    *("consimț", "berlangganan", "persetujuan"),
)
# What such a name may go on to speak of instead: a page, a version, a count.
OTHER_THINGS = (
    *("ページ", "リンク", "クリック", "トークン", "バージョン", "文言", "プラン", "種類"),
    *("件数", "言語", "页面", "頁面", "链接", "連結", "点击", "點擊", "版本", "方式", "来源"),
    *("來源", "编号", "類型", "类型", "次数", "语言", "페이지", "링크", "클릭", "버전", "문구"),
    *("유형", "번호", "언어", "횟수", "หน้า", "ลิงก์", "คลิก", "เวอร์ชัน", "страниц", "клик"),
    *("верси", "тариф", "登録元", "経路"),
)
CHANNELS = {
    "sms": ("ショートメッセージ", "短信", "简讯", "簡訊", "문자", "смс", "ข้อความสั้น"),
    "push": ("プッシュ通知", "推送", "푸시", "пуш"),
}


def holds(name: str, parts: tuple[str, ...]) -> bool:
    """Whether one of the parts stands in the name; case, blanks and accents aside."""
    return bool(_any_of(parts).search(folded(name)))


def channel(name: str) -> str:
    """The channel that the name speaks of; empty without one."""
    return next((each for each, parts in CHANNELS.items() if holds(name, parts)), "")


@cache
def _any_of(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(folded(part)) for part in parts))
